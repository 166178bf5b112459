// SPDX-License-Identifier: Apache-2.0
// Somebody who walks by: connects to the first device of Sotto, hears who it is, says what makes no
// sense, and goes; or stays, and says nothing. NOBLE_HCI_DEVICE_ID says on which controller.
// usage: node walker.js [sits]
'use strict';
const noble = require('@stoprocent/noble');

const SERVICE = '2b50c023e28148459112345f800e3419';
const FROM_DEVICE = '2b50c024e28148459112345f800e3419';
const TO_DEVICE = '2b50c025e28148459112345f800e3419';
const ATTACH = 0x01;
const FIRST_AND_LAST = 0xc0;
const ATT_MTU = 517;
const VALUE_SIZE = ATT_MTU - 3;
const sits = process.argv[2] === 'sits';

function nonsense() {
  const values = [];
  for (const size of [0, 1, 2, 19, 20, 253, 510, 511, 512, VALUE_SIZE])
    for (const header of [0x00, 0x3f, 0x80, 0x40, 0xc0, 0xff]) {
      const value = Buffer.alloc(size, 0x5a);
      if (size > 0) value[0] = header;
      values.push(value);
    }
  // A frame that is begun in order and never ends.
  for (let counter = 0; counter < 100; counter++) {
    const value = Buffer.alloc(VALUE_SIZE, 0);
    value[0] = (counter === 0 ? 0x80 : 0) | (counter & 0x3f);
    values.push(value);
  }
  // Frames that fall into one another.
  for (let counter = 0; counter < 100; counter++)
    values.push(Buffer.from([(counter % 3 === 0 ? 0x80 : 0) | (counter & 0x3f), 0x00, counter]));
  return values;
}

async function visit(peripheral) {
  await peripheral.connectAsync({ mtu: ATT_MTU });
  if (sits) return console.log('walker: sits');
  const { characteristics } = await peripheral.discoverSomeServicesAndCharacteristicsAsync(
    [SERVICE], [FROM_DEVICE, TO_DEVICE]);
  const find = (uuid) => characteristics.find((item) => item.uuid === uuid);
  const fromDevice = find(FROM_DEVICE);
  const toDevice = find(TO_DEVICE);
  const heard = new Promise((resolve) => fromDevice.once('data', resolve));
  await fromDevice.subscribeAsync();
  const value = await heard;
  if (value[0] !== FIRST_AND_LAST || value[1] !== ATTACH) throw new Error(value.toString('hex'));
  console.log(`walker: it is ${value.subarray(4, 16).toString('hex')}`);
  for (const item of nonsense()) await toDevice.writeAsync(item, true);
  await new Promise((resolve) => setTimeout(resolve, 500));
  if (peripheral.state !== 'connected') throw new Error('it has let go');
  console.log('walker: it has heard me out');
  await peripheral.disconnectAsync();
  console.log('walker: gone');
  process.exit(0);
}

noble.on('stateChange', (state) => {
  if (state === 'poweredOn') noble.startScanning([SERVICE], false);
});
noble.on('discover', async (peripheral) => {
  console.log(`walker: found ${peripheral.advertisement.localName}`);
  await noble.stopScanningAsync();
  visit(peripheral).catch((error) => {
    console.log(`walker: ${error}`);
    process.exit(1);
  });
});
