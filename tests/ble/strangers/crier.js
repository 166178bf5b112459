// SPDX-License-Identifier: Apache-2.0
// Somebody who advertises ever other devices of Sotto, each with an address and a name of its own, and
// is none of them. BLENO_HCI_DEVICE_ID says on which controller. usage: node crier.js COUNT
'use strict';
const bleno = require('@stoprocent/bleno');

const SERVICE = Buffer.from('2b50c023e28148459112345f800e3419', 'hex').reverse();
const count = Number(process.argv[2]);
const SET_RANDOM_ADDRESS = 0x2005;
const SET_PARAMETERS = 0x2006;
const RANDOM = 1;
const hci = () => bleno._bindings._hci;

function command(code, parameters) {
  const head = Buffer.from([0x01, code & 0xff, code >> 8, parameters.length]);
  hci()._socket.write(Buffer.concat([head, parameters]));
}

function cry(number) {
  hci().setAdvertiseEnable(false);
  command(SET_RANDOM_ADDRESS, Buffer.from([number & 0xff, number >> 8, 0, 0, 0, 0xc0]));
  const interval = [0xa0, 0x00];
  command(SET_PARAMETERS,
    Buffer.from([...interval, ...interval, 0, RANDOM, 0, 0, 0, 0, 0, 0, 0, 0x07, 0]));
  hci().setAdvertisingData(Buffer.concat([Buffer.from([2, 0x01, 0x06, 17, 0x07]), SERVICE]));
  const name = Buffer.from(`crier ${number}`);
  hci().setScanResponseData(Buffer.concat([Buffer.from([name.length + 1, 0x09]), name]));
  hci().setAdvertiseEnable(true);
}

bleno.on('stateChange', (state) => {
  if (state !== 'poweredOn') return;
  let number = 0;
  const timer = setInterval(() => {
    cry(number++);
    if (number < count) return;
    clearInterval(timer);
    console.log('crier: that is all');
  }, 20);
});
