// SPDX-License-Identifier: Apache-2.0
#include "core/session/network_part.hpp"

#include "core/cbor/writer.hpp"
#include "core/framing/text.hpp"
#include "core/session/fields.hpp"
#include "core/session/server.hpp"

namespace sotto::session {
namespace {

// What PUT /n wants: a cloud to be tried, or the one on trial to be confirmed, if it names a
// version alone.
Status parse_cloud(Bytes payload, keystore::CloudRecord& cloud, bool& is_confirmation) {
    cbor::Reader in{payload};
    const std::size_t count = in.map();
    in.require(count == 4 || count == 1);
    read_key(in, 1);
    const std::uint64_t version = in.uint();
    in.require(version != 0 && version <= 0xffff'ffff);
    cloud.version = static_cast<std::uint32_t>(version);
    is_confirmation = count == 1;
    if (is_confirmation) return in.finish();
    read_key(in, 2);
    const std::string_view address = in.text();
    // [AIR-11] What ATTACH could not carry would leave the device with no cloud to go to.
    in.require(!address.empty() && address.size() <= keystore::kAddressSizeMax &&
               framing::is_visible_ascii(address));
    SOTTO_TRY(in.status());
    cloud.address.assign(as_bytes(address));
    read_bytes(in, 3, cloud.credential_hash);
    read_bytes(in, 4, cloud.claim);
    return in.finish();
}

// [SES-62] Only who comes through the cloud can tell that it works.
Status confirm_cloud(CloudTrial& trial, const Exchange& exchange, std::uint32_t version) {
    return exchange.arrival.channel.is_relay() ? trial.confirm(version) : Error::Refused;
}

// [SES-61] The session of the cloud is that of the one in /n: a former one has lost its right.
void end_cloud_session(Server& server) {
    server.sessions().erase_role(Role::Cloud);
    server.forget_ended();
}

}  // namespace

coap::Code NetworkPart::put(Server& server, Exchange& exchange) {
    keystore::CloudRecord cloud;
    bool is_confirmation = false;
    if (!parse_cloud(exchange.body().payload, cloud, is_confirmation)) {
        return coap::Code::BadRequest;
    }
    if (const coap::Code refusal = server.admit(exchange); refusal != coap::Code::Empty) {
        return refusal;
    }
    const keystore::CloudRecord* before = trial_.cloud();
    const bool is_other =
        before != nullptr && before->credential_hash != cloud.credential_hash && !is_confirmation;
    const Status done = is_confirmation ? confirm_cloud(trial_, exchange, cloud.version)
                                        : trial_.begin(cloud, exchange.when());
    if (done && is_other) end_cloud_session(server);
    if (done && !is_confirmation) server.raise_revision();
    return server.keep_result(exchange,
                              done ? coap::Code::Changed : coap::to_coap_code(done.error()));
}

coap::Code NetworkPart::handle(Server& server, Exchange& exchange) {
    const coap::Code method = exchange.body().code;
    if (method == coap::Code::Put) return put(server, exchange);
    if (method != coap::Code::Get) return coap::Code::MethodNotAllowed;
    cbor::Writer writer{server.setup().result};
    if (const keystore::CloudRecord* cloud = trial_.cloud(); cloud != nullptr) {
        writer.map(4).uint(1).uint(cloud->version).uint(2).text(as_text(cloud->address));
        writer.uint(3).bytes(cloud->credential_hash);
        writer.uint(5).boolean(trial_.is_on_trial());
    } else {
        writer.map(0);
    }
    return Server::show_cbor(exchange, writer.finish());
}

// [SES-63]
void NetworkPart::poll(Server& server, Moment now) {
    if (!trial_.end(now)) return;
    end_cloud_session(server);
    server.raise_revision();
}

coap::Code AttachPart::handle(Server& server, Exchange& exchange) {
    if (exchange.body().code != coap::Code::Post) return coap::Code::MethodNotAllowed;
    const keystore::CloudRecord* cloud = trial_.cloud();
    if (cloud == nullptr) return coap::Code::NotFound;
    trial_.on_proved();
    cbor::Writer writer{server.setup().result};
    writer.map(2).uint(1).bytes(cloud->claim).uint(2).uint(cloud->version);
    const coap::Code code = Server::show_cbor(exchange, writer.finish());
    return code == coap::Code::Content ? coap::Code::Changed : code;
}

}  // namespace sotto::session
