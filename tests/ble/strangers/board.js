// SPDX-License-Identifier: Apache-2.0
// A bluz board, as far as the air sees it: says its id, wants a stream, and echoes what the stream
// brings. BLENO_HCI_DEVICE_ID says on which controller. usage: node board.js ID
'use strict';
const bleno = require('@stoprocent/bleno');

const SERVICE = '871e022338ff77b1ed419fb3aa142db2';
const FROM_DEVICE = '871e022438ff77b1ed419fb3aa142db2';
const TO_DEVICE = '871e022538ff77b1ed419fb3aa142db2';
const VALUE_SIZE = 20;
const END = Buffer.from([3, 4]);
const id = Buffer.from(process.argv[2], 'hex');

let notify = null;
let frame = Buffer.alloc(0);
const values = []; // to be notified
let isNotifying = false;

function pump() {
  if (isNotifying || notify === null || values.length === 0) return;
  isNotifying = true;
  notify(values.shift());
  setTimeout(() => {
    isNotifying = false;
    pump();
  }, 20);
}

// The header in a value of its own, or not: boards do either.
function send(header, payload, isApart) {
  const bytes = isApart ? payload : Buffer.concat([header, payload]);
  if (isApart) values.push(header);
  for (let at = 0; at < bytes.length; at += VALUE_SIZE) values.push(bytes.subarray(at, at + VALUE_SIZE));
  values.push(END);
  pump();
}

function onFrame(bytes) {
  if (bytes[0] === 2) {
    send(Buffer.from([2]), id, false);
    send(Buffer.from([1, 0x10]), Buffer.alloc(23), true);
  } else if (bytes[0] === 1) {
    send(Buffer.from([1, 0x00]), bytes.subarray(2), true);
  }
}

const toDevice = new bleno.Characteristic({
  uuid: TO_DEVICE,
  properties: ['write', 'writeWithoutResponse'],
  onWriteRequest: (central, value, offset, withoutResponse, done) => {
    done(bleno.Characteristic.RESULT_SUCCESS);
    if (value.length > VALUE_SIZE) console.log(`board: a value of ${value.length} bytes`);
    if (!value.equals(END)) {
      frame = Buffer.concat([frame, value]);
      return;
    }
    onFrame(frame);
    frame = Buffer.alloc(0);
  },
});
const fromDevice = new bleno.Characteristic({
  uuid: FROM_DEVICE,
  properties: ['notify'],
  onSubscribe: (central, size, callback) => {
    console.log('board: subscribed');
    frame = Buffer.alloc(0);
    values.length = 0;
    notify = callback;
  },
  onUnsubscribe: () => {
    notify = null;
  },
});

bleno.on('stateChange', (state) => {
  if (state === 'poweredOn') bleno.startAdvertising('board', [SERVICE]);
});
bleno.on('advertisingStart', (error) => {
  if (error) throw error;
  bleno.setServices([
    new bleno.PrimaryService({ uuid: SERVICE, characteristics: [fromDevice, toDevice] }),
  ]);
  console.log('board: advertising');
});
