// SPDX-License-Identifier: Apache-2.0
// The calls of particle-api-js 12 that are about products and programs, against a cloud of ours with
// a product and a device that waits in its quarantine; run by clients_test.
'use strict';
const assert = require('node:assert');
const fs = require('node:fs');
const Particle = require('particle-api-js');

const { CLOUD, DEVICE, FIRMWARE, TARGET, TOKEN } = process.env;
const product = process.env.PRODUCT;
const auth = TOKEN;
const particle = new Particle({ baseUrl: CLOUD });

async function refused(promise, status) {
    try {
        await promise;
    } catch (error) {
        assert.strictEqual(error.statusCode, status, JSON.stringify(error.body));
        assert.ok(error.body.error_description);
        return error;
    }
    return assert.fail(`it was not refused with ${status}`);
}

async function eventually(condition) {
    for (let tries = 0; tries < 150; ++tries) {
        const found = await condition();
        if (found) return found;
        await new Promise((resolve) => { setTimeout(resolve, 100); });
    }
    return assert.fail(`waited for ${condition}`);
}

async function devices() {
    const get = async () => (await particle.getDevice({ deviceId: DEVICE, product, auth })).body;
    assert.strictEqual((await get()).quarantined, true);
    await particle.removeDevice({ deviceId: DEVICE, deny: true, product, auth });
    assert.strictEqual((await get()).denied, true);
    const added = (await particle.addDeviceToProduct({ deviceId: DEVICE, product, auth })).body;
    assert.deepStrictEqual(added.updatedDeviceIds, [DEVICE]);
    const list = (await particle.listDevices({ product, deviceId: DEVICE, page: 1, perPage: 5, auth })).body;
    assert.strictEqual(list.devices[0].id, DEVICE);
    assert.strictEqual(list.meta.total_pages, 1);
    await eventually(async () => (await get()).owner !== null);
    const called = await particle.callFunction({ deviceId: DEVICE, name: 'led', argument: 'on', product, auth });
    assert.strictEqual(called.body.return_value, 1);
    const read = await particle.getVariable({ deviceId: DEVICE, name: 'temperature', product, auth });
    assert.strictEqual(read.body.result, 21.5);
    await particle.renameDevice({ deviceId: DEVICE, name: 'js-lamp', product, auth });
    await particle.setDeviceNotes({ deviceId: DEVICE, notes: 'n', product, auth });
    assert.strictEqual((await get()).notes, 'n');
    await particle.signalDevice({ deviceId: DEVICE, signal: true, product, auth });
    await particle.markAsDevelopmentDevice({ deviceId: DEVICE, product, auth });
    assert.strictEqual((await get()).development, true);
    await particle.markAsDevelopmentDevice({ deviceId: DEVICE, development: false, product, auth });
    assert.strictEqual((await particle.getClaimCode({ product, auth })).body.claim_code.length, 63);
    await refused(particle.getDevice({ deviceId: DEVICE, product: 'none', auth }), 404);
    return get;
}

async function firmware(get) {
    const file = fs.readFileSync(FIRMWARE);
    await refused(particle.uploadProductFirmware({ file, version: 4, title: 'x', product, auth }), 400);
    const made = await particle.uploadProductFirmware({
        file, version: 3, title: 'Third', description: 'd', product, auth,
    });
    assert.strictEqual(made.body.version, 3);
    assert.ok((await particle.listProductFirmware({ product, auth })).body.some((each) => each.version === 3));
    assert.strictEqual((await particle.getProductFirmware({ version: 3, product, auth })).body.title, 'Third');
    await particle.updateProductFirmware({ version: 3, title: '3rd', description: 'e', product, auth });
    const image = await particle.downloadProductFirmware({ version: 3, product, auth });
    assert.deepStrictEqual(Buffer.from(image), file);
    await particle.lockDeviceProductFirmware({
        deviceId: DEVICE, desiredFirmwareVersion: 3, flash: true, product, auth,
    });
    await eventually(async () => (await get()).firmware_version === 3);
    await particle.unlockDeviceProductFirmware({ deviceId: DEVICE, product, auth });
    assert.strictEqual((await get()).desired_firmware_version, null);
    await particle.post({ uri: `/v1/products/${product}/groups`, data: { name: 'js' }, auth });
    const released = await particle.releaseProductFirmware({
        version: 3, product, product_default: false, groups: ['js'], intelligent: false, auth,
    });
    assert.deepStrictEqual(released.body.groups, ['js']);
    await refused(particle.releaseProductFirmware({ version: 99, product, product_default: true, auth }), 404);
}

async function hooks() {
    const made = (await particle.createWebhook({ event: 'e', url: TARGET, product, auth })).body;
    assert.ok((await particle.listWebhooks({ product, auth })).body.some((hook) => hook.id === made.id));
    await particle.deleteWebhook({ hookId: made.id, product, auth });
    const settings = { integration_type: 'Webhook', url: TARGET, requestType: 'GET' };
    const other = (await particle.createIntegration({ event: 'e', settings, product, auth })).body;
    await particle.editIntegration({ integrationId: other.id, event: 'f', settings: {}, product, auth });
    assert.strictEqual((await particle.listIntegrations({ product, auth })).body[0].event, 'f');
    await particle.deleteIntegration({ integrationId: other.id, product, auth });
    await refused(particle.listIntegrations({ org: 'o', auth }), 404);
}

async function clients() {
    const made = (await particle.createOAuthClient({ name: 'c', type: 'web', scope: 'devices:list', auth })).body;
    assert.ok(made.secret);
    await particle.updateOAuthClient({ clientId: made.id, name: 'd', auth });
    assert.strictEqual((await particle.listOAuthClients({ auth })).body.clients[0].name, 'd');
    const of_product = (await particle.createOAuthClient({ name: 'p', type: 'installed', product, auth })).body;
    assert.strictEqual((await particle.listOAuthClients({ product, auth })).body.clients[0].id, of_product.id);
    await particle.deleteOAuthClient({ clientId: of_product.id, product, auth });
    await particle.deleteOAuthClient({ clientId: made.id, auth });
    await refused(particle.deleteOAuthClient({ clientId: made.id, auth }), 404);
}

// What this cloud has none of is said so, and not with a page of HTML.
async function absences() {
    assert.deepStrictEqual((await particle.listLibraries({ auth })).body.data, []);
    assert.deepStrictEqual((await particle.listLogicFunctions({ auth })).body.logic_functions, []);
    const name = 'x';
    for (const call of [
        particle.listBuildTargets({ auth }), particle.downloadFirmwareBinary({ binaryId: name, auth }),
        particle.getLibrary({ name, auth }), particle.publishLibrary({ name, auth }),
        particle.listSIMs({ auth }), particle.listSIMs({ product, auth }),
        particle.lookupSerialNumber({ serialNumber: name, auth }), particle.resetPassword({ username: name }),
        particle.createCustomer({ email: name, password: name, product, auth }),
        particle.getProductConfiguration({ product, auth }), particle.getProductLocations({ product, auth }),
        particle.executeLogic({ logic: {}, auth }), particle.createLogicFunction({ logicFunction: {}, auth }),
        particle.createLedger({ ledger: {}, auth }), particle.listDeviceOsVersions({ auth }),
        particle.provisionDevice({ productId: product, auth }),
        particle.unprotectDevice({ deviceId: DEVICE, action: 'prepare', auth }),
    ]) await refused(call, 501);
}

async function main() {
    const products = (await particle.listProducts({ auth })).body.products;
    assert.ok(products.some((each) => String(each.id) === product));
    assert.strictEqual((await particle.getProduct({ product: 'lamps', auth })).body.product.name, 'Lamps');
    const get = await devices();
    await firmware(get);
    const stream = await particle.getEventStream({ product, name: 'js', auth });
    const heard = new Promise((resolve) => { stream.on('event', resolve); });
    await particle.publishEvent({ name: 'js-told', data: '1', product, auth });
    assert.strictEqual((await heard).name, 'js-told');
    stream.end();
    await hooks();
    await clients();
    await absences();
    await particle.removeDeviceOwner({ deviceId: DEVICE, product, auth });
    await particle.removeDevice({ deviceId: DEVICE, product, auth });
    await refused(particle.getDevice({ deviceId: DEVICE, product, auth }), 404);
}

main().then(() => process.exit(0), (error) => {
    console.error(error.stack || error, error.body ? JSON.stringify(error.body) : '');
    process.exit(1);
});
