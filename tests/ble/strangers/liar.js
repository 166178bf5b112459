// SPDX-License-Identifier: Apache-2.0
// A device that is none. BLENO_HCI_DEVICE_ID says on which controller.
// usage: node liar.js mute | babbler | ID       it says nothing, nonsense, or that it is somebody else
'use strict';
const bleno = require('@stoprocent/bleno');

const SERVICE = '2b50c023e28148459112345f800e3419';
const FROM_DEVICE = '2b50c024e28148459112345f800e3419';
const TO_DEVICE = '2b50c025e28148459112345f800e3419';
const kind = process.argv[2];

let timer = null;

function* nonsense(sizeMax) {
  for (const size of [0, 1, 2, 19, 20, 510, 511, 512, sizeMax])
    for (const header of [0x00, 0x3f, 0x80, 0x40, 0xc0, 0xff]) {
      const value = Buffer.alloc(size, 0x5a);
      if (size > 0) value[0] = header;
      yield value;
    }
  // A frame that never ends, one into which another one falls, and ids that change.
  for (let counter = 0; counter < 70; counter++) {
    const value = Buffer.alloc(sizeMax, 0x01);
    value[0] = (counter % 20 === 0 ? 0x80 : 0) | (counter & 0x3f);
    yield value;
  }
  for (let counter = 0; counter < 70; counter++) yield attach(counter, Buffer.alloc(12, counter));
}

// A segment with ATTACH: version 1, no owner, id, no address.
function attach(counter, deviceId) {
  const head = Buffer.from([0xc0 | (counter & 0x3f), 0x01, 1, 0]);
  return Buffer.concat([head, deviceId, Buffer.from([0])]);
}

function* impostor() {
  yield attach(0, Buffer.from(kind, 'hex'));
}

function say(values, notify) {
  clearInterval(timer);
  timer = setInterval(() => {
    const { value, done } = values.next();
    if (!done) return notify(value);
    clearInterval(timer);
    console.log('liar: that is all');
  }, 10);
}

const fromDevice = new bleno.Characteristic({
  uuid: FROM_DEVICE,
  properties: ['notify'],
  onSubscribe: (central, size, notify) => {
    console.log('liar: visited');
    if (kind === 'mute') return;
    say(kind === 'babbler' ? nonsense(size) : impostor(), notify);
  },
  onUnsubscribe: () => clearInterval(timer),
});
const toDevice = new bleno.Characteristic({
  uuid: TO_DEVICE,
  properties: ['writeWithoutResponse'],
  onWriteRequest: (central, value, offset, withoutResponse, done) =>
    done(bleno.Characteristic.RESULT_SUCCESS),
});

bleno.on('stateChange', (state) => {
  bleno._bindings._gatt.maxMtu = 517; // it has 256 by itself
  if (state === 'poweredOn') bleno.startAdvertising('liar', [SERVICE]);
});
bleno.on('advertisingStart', (error) => {
  if (error) throw error;
  bleno.setServices([
    new bleno.PrimaryService({ uuid: SERVICE, characteristics: [fromDevice, toDevice] }),
  ]);
  console.log('liar: advertising');
});
