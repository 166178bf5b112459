// SPDX-License-Identifier: Apache-2.0
// particle-api-js 12 against a cloud of ours, with one device connected; run by clients_test.
'use strict';
const assert = require('node:assert');
const Particle = require('particle-api-js');

const { CLOUD, DEVICE, OTHER, TARGET, USERNAME, PASSWORD } = process.env;

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

// The next event of this name.
function next(stream, name) {
    return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`no event ${name}`)), 10_000);
        stream.on('event', (event) => {
            if (event.name !== name) return;
            clearTimeout(timer);
            resolve(event);
        });
    });
}

async function environment(particle, auth) {
    await particle.updateEnvVars({ sandbox: true, ops: [{ op: 'Set', key: 'JS', value: 'one' }], auth });
    await particle.setEnvVar({ sandbox: true, key: 'JS2', value: 'two', auth });
    await particle.setEnvVar({ deviceId: DEVICE, key: 'JS', value: 'own', auth });
    const device = (await particle.listEnvVars({ deviceId: DEVICE, auth })).body;
    assert.strictEqual(device.latest.own.JS.value, 'own');
    assert.deepStrictEqual(device.latest.inherited.JS2, { from: 'Owner', value: 'two' });
    const review = (await particle.reviewEnvVarsRollout({ deviceId: DEVICE, auth })).body;
    assert.ok(review.from_snapshot.changes.some((change) => change.op === 'Added' && change.key === 'JS'));
    assert.ok((await particle.startEnvVarsRollout({ deviceId: DEVICE, when: 'Connect', auth })).body.success);
    assert.strictEqual((await particle.renderEnvVars({ deviceId: DEVICE, auth })).body.env.JS, 'own');
    for (const key of ['JS', 'JS2']) await particle.deleteEnvVar({ sandbox: true, key, auth });
    await particle.deleteEnvVar({ deviceId: DEVICE, key: 'JS', auth });
    await refused(particle.updateEnvVars({ sandbox: true, ops: [], auth }), 400);
    await refused(particle.createUser({ username: 'eve', password: 'long enough' }), 403);
}

async function hooks(particle, auth, stream, call) {
    const made = (await particle.createWebhook({
        event: 'js-hook', url: `${TARGET}/js`, device: DEVICE, rejectUnauthorized: true, noDefaults: true, auth,
        hook: {
            method: 'POST', json: { name: '{{PARTICLE_EVENT_NAME}}' }, headers: { 'X-A': 'b' },
            responseTemplate: '{{{results.0.elevation}}}', responseEvent: 'js-answer', errorResponseEvent: 'js-error',
        },
    })).body;
    assert.ok(made.ok);
    assert.strictEqual(made.event, 'js-hook');
    const listed = (await particle.listWebhooks({ auth })).body;
    assert.ok(listed.some((hook) => hook.id === made.id && hook.deviceID === DEVICE));
    const answered = next(stream, 'js-answer/0');
    await call('shout', 'js-hook/1:x');
    assert.strictEqual((await answered).data, '1608.5');
    await particle.deleteWebhook({ hookId: made.id, auth });
    await refused(particle.deleteWebhook({ hookId: made.id, auth }), 404);

    const settings = { integration_type: 'Webhook', url: `${TARGET}/js`, requestType: 'GET' };
    const other = (await particle.createIntegration({ event: 'js-other', settings, auth })).body;
    await particle.editIntegration({
        integrationId: other.id, event: 'js-edited', settings: { url: `${TARGET}/edited` }, auth,
    });
    const integrations = (await particle.listIntegrations({ auth })).body;
    const edited = integrations.find((integration) => integration.id === other.id);
    assert.strictEqual(edited.url, `${TARGET}/edited`);
    assert.strictEqual(edited.event, 'js-edited');
    assert.strictEqual(edited.requestType, 'GET');
    await particle.deleteIntegration({ integrationId: other.id, auth });
    await refused(particle.createIntegration({ event: 'x', settings: { url: 'nonsense' }, auth }), 400);
    await refused(particle.listIntegrations({ product: '1', auth }), 404);
}

async function main() {
    const particle = new Particle({ baseUrl: CLOUD });
    await refused(particle.login({ username: USERNAME, password: 'wrong' }), 400);
    const login = await particle.login({ username: USERNAME, password: PASSWORD, tokenDuration: 3600 });
    assert.strictEqual(login.statusCode, 200);
    assert.strictEqual(login.body.expires_in, 3600);
    const auth = login.body.access_token;

    assert.strictEqual((await particle.getUserInfo({ auth })).body.username, USERNAME);
    await refused(particle.getUserInfo({ auth: 'nonsense' }), 401);

    const list = (await particle.listDevices({ auth })).body;
    assert.ok(Array.isArray(list));
    assert.ok(list.some((device) => device.id === DEVICE && device.connected && device.online));
    const device = (await particle.getDevice({ deviceId: DEVICE, auth })).body;
    assert.deepStrictEqual([...device.functions].sort(), ['fail', 'led', 'shout']);
    assert.deepStrictEqual(device.variables,
        { temperature: 'double', count: 'int32', words: 'string', is_on: 'bool' });

    const call = (name, argument) => particle.callFunction({ deviceId: DEVICE, name, argument, auth });
    assert.strictEqual((await call('led', 'on')).body.return_value, 1);
    assert.strictEqual((await call('fail', '')).body.return_value, -7);
    await refused(call('nothing', ''), 404);
    const read = async (name) => (await particle.getVariable({ deviceId: DEVICE, name, auth })).body;
    assert.strictEqual((await read('temperature')).result, 21.5);
    assert.strictEqual((await read('count')).result, 3);
    assert.strictEqual((await read('words')).result, 'hello');
    assert.strictEqual((await read('is_on')).result, true);
    assert.strictEqual((await read('count')).coreInfo.deviceID, DEVICE);

    const flash = (file) => particle.flashDevice({ deviceId: DEVICE, files: { 'fw.bin': file }, auth });
    const nonsense = await refused(flash(Buffer.from('no firmware')), 400);
    assert.match(nonsense.body.error_description, /no whole firmware/);

    const mine = await particle.getEventStream({ deviceId: 'mine', auth });
    const of_device = await particle.getEventStream({ deviceId: DEVICE, name: 'api/', auth });
    const shouted = Promise.all([next(mine, 'api/x'), next(of_device, 'api/x')]);
    await call('shout', 'api/x:h\u00e4, "quoted"');
    for (const event of await shouted) {
        assert.strictEqual(event.data, 'h\u00e4, "quoted"');
        assert.strictEqual(event.coreid, DEVICE);
        assert.ok(Math.abs(Date.parse(event.published_at) - Date.now()) < 60_000);
    }
    const published = next(mine, 'from-api');
    assert.ok((await particle.publishEvent({ name: 'from-api', data: '1', isPrivate: true, auth })).body.ok);
    assert.strictEqual((await published).data, '1');
    await environment(particle, auth);
    await hooks(particle, auth, mine, call);
    mine.end();
    of_device.end();

    await particle.claimDevice({ deviceId: OTHER, auth });
    assert.strictEqual((await particle.renameDevice({ deviceId: OTHER, name: 'other', auth })).body.name, 'other');
    await particle.setDeviceNotes({ deviceId: OTHER, notes: 'behind it', auth });
    assert.strictEqual((await particle.getDevice({ deviceId: 'other', auth })).body.notes, 'behind it');
    assert.strictEqual((await particle.signalDevice({ deviceId: OTHER, signal: true, auth })).body.signaling, true);
    await particle.signalDevice({ deviceId: OTHER, signal: false, auth });
    await particle.removeDevice({ deviceId: OTHER, auth });
    await refused(particle.getDevice({ deviceId: OTHER, auth }), 404);
    assert.strictEqual((await particle.getClaimCode({ auth })).body.claim_code.length, 63);
    await refused(particle.sendPublicKey({ deviceId: OTHER, key: Buffer.from('no key'), algorithm: 'rsa', auth }), 400);

    const second = (await particle.login({ username: USERNAME, password: PASSWORD })).body.access_token;
    await particle.deleteAccessToken({ token: second });
    await refused(particle.getUserInfo({ auth: second }), 401);
    await particle.deleteCurrentAccessToken({ auth });
    await refused(particle.listDevices({ auth }), 401);
}

main().then(() => process.exit(0), (error) => {
    console.error(error.stack || error, error.body ? JSON.stringify(error.body) : '');
    process.exit(1);
});
