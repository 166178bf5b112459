// SPDX-License-Identifier: Apache-2.0
// Somebody who listens: prints what devices of Sotto advertise, whenever it is something new, and
// connects to nobody. NOBLE_HCI_DEVICE_ID says on which controller. usage: node listener.js
'use strict';
const noble = require('@stoprocent/noble');

const SERVICE = '2b50c023e28148459112345f800e3419';
let latest = '';

noble.on('stateChange', (state) => {
  if (state === 'poweredOn') noble.startScanning([SERVICE], true);
});
noble.on('discover', (peripheral) => {
  const { localName, serviceData, manufacturerData } = peripheral.advertisement;
  if (!localName) return; // the rest comes with the scan response
  const more = JSON.stringify([serviceData || [], manufacturerData || null]);
  const heard = `heard ${localName} from ${peripheral.address} (${peripheral.addressType}) with ${more}`;
  if (heard !== latest) console.log(heard);
  latest = heard;
});
