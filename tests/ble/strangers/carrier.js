// SPDX-License-Identifier: Apache-2.0
// A gateway for bluz boards as their makers wrote it, in few words: subscribes to the first board
// that it hears, asks for its id, opens a TCP connection to the cloud when the board wants one, and
// copies bytes, header and end in values of their own. It comes back when the board has let it go.
// NOBLE_HCI_DEVICE_ID says on which controller. usage: node carrier.js PORT
'use strict';
const net = require('net');
const noble = require('@stoprocent/noble');

const SERVICE = '871e022338ff77b1ed419fb3aa142db2';
const FROM_DEVICE = '871e022438ff77b1ed419fb3aa142db2';
const TO_DEVICE = '871e022538ff77b1ed419fb3aa142db2';
const VALUE_SIZE = 20;
const PIECE_SIZE = 960;
const END = Buffer.from([3, 4]);
const port = Number(process.argv[2]);

class Visit {
  constructor(peripheral) {
    this.peripheral = peripheral;
    this.frame = Buffer.alloc(0);
    this.written = Promise.resolve(); // all so far
    this.socket = null;
  }

  async begin() {
    this.peripheral.once('disconnect', () => this.end());
    await this.peripheral.connectAsync();
    const { characteristics } = await this.peripheral.discoverSomeServicesAndCharacteristicsAsync(
      [SERVICE], [FROM_DEVICE, TO_DEVICE]);
    const find = (uuid) => characteristics.find((item) => item.uuid === uuid);
    this.toDevice = find(TO_DEVICE);
    const fromDevice = find(FROM_DEVICE);
    fromDevice.on('data', (value) => this.onValue(value));
    await fromDevice.subscribeAsync();
    console.log('carrier: subscribed');
    this.send(Buffer.from([2, 0]), Buffer.alloc(0), false);
  }

  // In values of at most 20 bytes; aloud, each waits for its answer.
  send(header, payload, isSilent) {
    const values = [header];
    for (let at = 0; at < payload.length; at += VALUE_SIZE) values.push(payload.subarray(at, at + VALUE_SIZE));
    values.push(END);
    for (const value of values)
      this.written = this.written
        .then(() => this.toDevice.writeAsync(value, isSilent))
        .catch((error) => console.log(`carrier: ${error}`));
  }

  onValue(value) {
    if (value.length > VALUE_SIZE) console.log(`carrier: a value of ${value.length} bytes`);
    if (!value.equals(END)) {
      this.frame = Buffer.concat([this.frame, value]);
      return;
    }
    const frame = this.frame;
    this.frame = Buffer.alloc(0);
    if (frame[0] === 2) console.log(`carrier: it is ${frame.subarray(1).toString('hex')}`);
    else if (this.socket === null) this.open(frame);
    else this.socket.write(frame.subarray(2));
  }

  open(frame) {
    console.log(`carrier: connect, ${frame.length} bytes`);
    this.socket = net.connect(port, '127.0.0.1');
    this.socket.on('data', (data) => {
      for (let at = 0; at < data.length; at += PIECE_SIZE)
        this.send(Buffer.from([1, 0]), data.subarray(at, at + PIECE_SIZE), true);
    });
    this.socket.on('error', (error) => console.log(`carrier: ${error}`));
    this.socket.on('close', () => this.letGo());
  }

  // However it ends, and once.
  end() {
    if (visit !== this) return;
    visit = null;
    console.log('carrier: gone');
    if (this.socket !== null) this.socket.destroy();
    look();
  }

  letGo() {
    if (this.peripheral.state !== 'connected') this.end();
    else this.peripheral.disconnectAsync().catch(() => this.end());
  }
}

let visit = null;

function look() {
  noble.startScanning([SERVICE], true);
}

noble.on('stateChange', (state) => {
  if (state === 'poweredOn') look();
});
noble.on('discover', async (peripheral) => {
  if (visit !== null) return;
  const mine = new Visit(peripheral);
  visit = mine;
  try {
    await noble.stopScanningAsync();
    await mine.begin();
  } catch (error) {
    console.log(`carrier: ${error}`);
    mine.letGo();
  }
});
