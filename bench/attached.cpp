// SPDX-License-Identifier: Apache-2.0
// Ten thousand devices at the real sotto-cloud: what each takes of its memory, and how fast all of
// them attach again after its restart, against as many TCP connections that carry one sealed
// message each. The devices are real ones (core/session), on links of a few gateways' connections.
#include <arpa/inet.h>
#include <csignal>
#include <cstdio>
#include <memory>
#include <netinet/in.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/channel_client.hpp"
#include "bench/cloud_process.hpp"
#include "bench/figure.hpp"
#include "core/crypto/aead.hpp"
#include "core/framing/uplink.hpp"
#include "core/keystore/private_key.hpp"
#include "core/session/all_parts.hpp"
#include "core/session/server.hpp"
#include "ports/linux/system_clock.hpp"
#include "ports/linux/system_entropy.hpp"
#include "testing/memory_storage.hpp"

namespace sotto::bench {
namespace {

namespace uplink = framing::uplink;
namespace channel = framing::channel;
using namespace cloud::model;  // NOLINT(google-build-using-namespace): one vocabulary
using ports::SystemClock;

constexpr std::size_t kDevices = 10'000;
constexpr std::size_t kLinksEach = 250;  // of a gateway's connection
constexpr std::size_t kGateways = kDevices / kLinksEach;
constexpr const char* kToken = "bench-token";
constexpr double kPatienceSeconds = 300;

struct Key {
    crypto::DhPrivateKey secret;
    cose::Credential credential;

    static Key make(const std::string& name, hal::Entropy& entropy) {
        edhoc::EphemeralKey pair = edhoc::EphemeralKey::from(*keystore::draw_private_key(entropy));
        cose::Credential credential = *cose::Credential::create(name, pair.public_key);
        return {.secret = std::move(pair.private_key), .credential = credential};
    }
};

// A device has nothing to offer here.
class Nothing final : public session::Resources {
  public:
    bool find(session::ResourceKind, std::string_view, session::Traits&) const override {
        return false;
    }
    Status call(std::uint8_t,
                const session::Content&,
                session::Format,
                session::Excerpt&) override {
        return Error::NotFound;
    }
    Status read(std::uint8_t, session::Format, session::Excerpt&) override {
        return Error::NotFound;
    }
    Status describe(session::Excerpt&) const override { return Error::NotFound; }
};

// What devices can share because one of them computes at a time.
struct Shared {
    ports::SystemEntropy entropy;
    Nothing nothing;
    std::array<std::uint8_t, session::kMessageSizeMax> scratch{};
    std::array<std::uint8_t, session::kPayloadSizeMax> result{};
    std::array<std::uint8_t, session::kMessageSizeMax> out{};
};

// A device whose owner has chosen the cloud.
class Device {
  public:
    Device(Shared& shared,
           std::size_t number,
           const cose::Credential& owner,
           const CredentialHash& cloud)
        : shared_(shared), key_(Key::make("bench-" + std::to_string(number), shared.entropy)) {
        const Instant now = SystemClock::now();
        session::CloudTrial trial;
        session::Authority authority{{.storage = storage_, .network = &trial}};
        keystore::CloudRecord record;
        record.version = 1;
        record.credential_hash = cloud;
        record.address = FixedBytes<keystore::kAddressSizeMax>{as_bytes("127.0.0.1:5684")};
        const bool is_ready = session::Authority::commission(storage_, {}).has_value() &&
                              authority.load(now) && authority.accept_owner(owner, {}) &&
                              authority.confirm_owner() && trial.begin(record, now);
        trial.on_proved();
        if (!is_ready || !trial.confirm(1)) throw std::runtime_error{"a device cannot be made"};
        server_ = std::make_unique<session::Server>(session::Server::Setup{
            .identity = {.credential = key_.credential, .private_key = key_.secret},
            .storage = storage_,
            .entropy = shared.entropy,
            .resources = shared.nothing,
            .parts = parts_.view(),
            .sessions = sessions_,
            .half_open = half_open_,
            .answers = answers_,
            .events = events_,
            .scratch = shared.scratch,
            .result = shared.result});
        if (!server_->start(now)) throw std::runtime_error{"a device does not start"};
    }
    const CredentialHash& credential() const { return key_.credential.hash(); }
    DeviceId id() const {
        DeviceId id{};
        std::copy_n(credential().begin(), id.size(), id.begin());
        return id;
    }
    Bytes receive(framing::Label label, Bytes message) {
        return server_->receive({.label = label.value()}, message, SystemClock::now(), shared_.out);
    }

  private:
    Shared& shared_;
    Key key_;
    testing::MemoryStorage storage_;
    std::array<session::GuestRights, session::kOtherStoredSessions> rights_;
    session::AllParts parts_{rights_};
    std::array<session::SessionEntry, session::kStoredSessions> sessions_;
    std::array<session::HalfOpen, session::kHalfOpenSlots> half_open_;
    std::array<session::KeptAnswer, session::kAnswerCacheCount + 1> answers_;
    std::array<session::PendingEvent, session::kPendingEvents> events_;
    std::unique_ptr<session::Server> server_;
};

using Devices = std::vector<std::unique_ptr<Device>>;

// One gateway's connection with its devices.
class Gateway {
  public:
    Gateway(const std::string& address,
            const std::string& token,
            std::span<std::unique_ptr<Device>> devices,
            const CredentialHash& cloud)
        : socket_(connect_to(address)), devices_(devices) {
        write(uplink::Hello{.token = token});
        flush();
        while (!is_welcome_) receive(true);
        for (std::size_t i = 0; i < devices_.size(); ++i) {
            write(uplink::LinkUp{.link = uplink::LinkId{static_cast<std::uint32_t>(i)},
                                 .attach = {.has_owner = true,
                                            .device_id = devices_[i]->id(),
                                            .address = "127.0.0.1:5684",
                                            .cloud_credential = cloud}});
        }
        flush();
    }
    ~Gateway() { ::close(socket_); }
    Gateway(const Gateway&) = delete;
    Gateway& operator=(const Gateway&) = delete;

    int socket() const { return socket_; }
    // Lets devices take what came, and answer.
    void receive(bool wait) {
        std::array<std::uint8_t, 65'536> buffer;  // NOLINT: written before read
        const ssize_t size = ::recv(socket_, buffer.data(), buffer.size(), wait ? 0 : MSG_DONTWAIT);
        if (size == 0) throw std::runtime_error{"the cloud has closed an uplink"};
        if (size < 0) return;
        Bytes input{buffer.data(), static_cast<std::size_t>(size)};
        while (const auto bytes = splitter_.next(input).value())
            on_record(uplink::parse_record(*bytes, uplink::Side::Cloud).value());
        flush();
    }

  private:
    void on_record(const uplink::Record& record) {
        if (std::holds_alternative<uplink::Welcome>(record)) is_welcome_ = true;
        if (const auto* ping = std::get_if<uplink::Ping>(&record))
            write(uplink::Pong{.value = ping->value});
        const auto* message = std::get_if<uplink::Message>(&record);
        if (message == nullptr) return;
        write(uplink::Credit{.link = message->link, .count = 1});
        const Bytes answer =
            devices_[message->link.value()]->receive(message->label, message->message);
        if (answer.empty()) return;
        write(uplink::Message{.link = message->link, .label = message->label, .message = answer});
    }
    void write(const uplink::Record& record) {
        std::array<std::uint8_t, framing::kUplinkBytesMax> buffer{};
        const Bytes bytes = uplink::encode_record(buffer, record).value();
        output_.insert(output_.end(), bytes.begin(), bytes.end());
    }
    void flush() {
        for (std::size_t sent = 0; sent < output_.size();) {
            const ssize_t size =
                ::send(socket_, output_.data() + sent, output_.size() - sent, MSG_NOSIGNAL);
            if (size <= 0) throw std::runtime_error{"an uplink has ended"};
            sent += static_cast<std::size_t>(size);
        }
        output_.clear();
    }

    int socket_;
    std::span<std::unique_ptr<Device>> devices_;
    uplink::Splitter splitter_;
    std::vector<std::uint8_t> output_;
    bool is_welcome_ = false;
};

// All devices, on the air of all gateways.
class Fleet {
  public:
    Fleet(Devices& devices, const CloudProcess& cloud, const CredentialHash& credential) {
        const std::string address = cloud.devices();
        const std::string token = cloud.gateway_token();
        app_ = std::make_unique<ChannelClient>(cloud.http(), kToken, 1);
        began_ = seconds_now();
        for (std::size_t i = 0; i < kGateways; ++i) {
            const std::span links{devices.data() + i * kLinksEach, kLinksEach};
            gateways_.push_back(std::make_unique<Gateway>(address, token, links, credential));
            serve(0);
        }
    }
    // Until the cloud has told the app that every device is there: seconds since the beginning.
    double wait() {
        while (attached_count_ < kDevices) {
            serve(10);
            if (seconds_now() - began_ > kPatienceSeconds)
                throw std::runtime_error{std::to_string(attached_count_) + " devices attached"};
        }
        return seconds_now() - began_;
    }
    void serve_for(double seconds) {
        for (const double end = seconds_now() + seconds; seconds_now() < end;) serve(10);
    }

  private:
    void serve(int wait_ms) {
        std::vector<pollfd> sockets{{.fd = app_->socket(), .events = POLLIN, .revents = 0}};
        for (const auto& gateway : gateways_)
            sockets.push_back({.fd = gateway->socket(), .events = POLLIN, .revents = 0});
        ::poll(sockets.data(), sockets.size(), wait_ms);
        if (sockets[0].revents != 0) {
            app_->receive(false, [this](const channel::Record& record) {
                const auto* state = std::get_if<channel::State>(&record);
                if (state != nullptr && state->is_connected) ++attached_count_;
            });
        }
        for (std::size_t i = 0; i < gateways_.size(); ++i) {
            if (sockets[i + 1].revents != 0) gateways_[i]->receive(false);
        }
    }

    std::unique_ptr<ChannelClient> app_;
    std::vector<std::unique_ptr<Gateway>> gateways_;
    std::size_t attached_count_ = 0;
    double began_ = 0;
};

// An account, and every device as its own; a part of them at a time, for a store takes no more.
class Enrolment {
  public:
    Enrolment(cloud::store::Store& store, const Devices& devices)
        : store_(store), devices_(devices) {
        store_.create_account("bench", now_, [this](const Result<AccountId>& account) {
            account_ = *account;
            store_.add_token({.hash = CloudProcess::hash(kToken),
                              .kind = TokenKind::Account,
                              .account = account_,
                              .name = "bench"},
                             now_,
                             [](const auto&) {});
            for (std::size_t i = 0; i < kAtATime; ++i) enrol(i);
        });
    }
    bool is_done() const { return count_ == devices_.size(); }

  private:
    static constexpr std::size_t kAtATime = 1'000;

    void enrol(std::size_t i) {
        if (i >= devices_.size()) return;
        const Device& device = *devices_[i];
        ClaimCode code;
        std::copy_n(device.credential().begin(), code.bytes.size(), code.bytes.begin());
        store_.create_claim({.code = code, .account = account_, .expires_at = now_ + minutes(60)},
                            1'000'000,
                            now_,
                            [](const auto&) {});
        store_.redeem_claim(code,
                            device.id(),
                            device.credential(),
                            now_,
                            [this, i](const Result<Registration>& registration) {
                                if (!registration)
                                    throw std::runtime_error{"a device cannot be registered"};
                                ++count_;
                                enrol(i + kAtATime);
                            });
    }

    cloud::store::Store& store_;
    const Devices& devices_;
    const Instant now_{static_cast<std::int64_t>(time(nullptr)) * 1'000};
    AccountId account_;
    std::size_t count_ = 0;
};

constexpr std::size_t kSealedSize = 64;
constexpr std::size_t kBareOpen = 50;  // connections at a time
static_assert(kDevices % kBareOpen == 0);

// Accepts connections, opens one sealed message of each, and closes it.
[[noreturn]] void serve_bare(int listener, const crypto::AeadKey& key) {
    const std::array<std::uint8_t, crypto::kNonceSize> nonce{};
    std::array<std::uint8_t, kSealedSize> sealed{};
    std::array<std::uint8_t, kSealedSize> plain{};
    while (true) {
        const int peer = ::accept(listener, nullptr, nullptr);
        if (peer < 0) ::_exit(1);
        const ssize_t size = ::recv(peer, sealed.data(), sealed.size(), MSG_WAITALL);
        const bool is_whole = size == static_cast<ssize_t>(sealed.size());
        const auto text = MutBytes{plain}.first(kSealedSize - 8);
        if (is_whole && crypto::aead_open({key, nonce, {}, crypto::TagSize::Short}, sealed, text)) {
            static_cast<void>(::send(peer, "k", 1, MSG_NOSIGNAL));
        }
        ::close(peer);
    }
}

// Seconds for as many bare connections as there are devices.
double bare_connects() {
    const crypto::AeadKey key{std::array<std::uint8_t, 16>{1, 2, 3}};
    const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    if (::bind(listener, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0 ||
        ::listen(listener, 128) != 0 ||
        ::getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size) != 0)
        throw std::runtime_error{"no listening socket"};
    const pid_t server = ::fork();
    if (server == 0) serve_bare(listener, key);
    const std::string port = std::to_string(ntohs(at.sin_port));
    const std::array<std::uint8_t, crypto::kNonceSize> nonce{};
    const std::array<std::uint8_t, kSealedSize - 8> plain{};
    const double start = seconds_now();
    for (std::size_t i = 0; i < kDevices; i += kBareOpen) {
        std::array<int, kBareOpen> sockets{};
        for (int& socket : sockets) {
            std::array<std::uint8_t, kSealedSize> sealed{};
            const Status done =
                crypto::aead_seal({key, nonce, {}, crypto::TagSize::Short}, plain, sealed);
            socket = connect_to(port);
            if (!done || ::send(socket, sealed.data(), sealed.size(), MSG_NOSIGNAL) < 0)
                throw std::runtime_error{"a bare connection failed"};
        }
        for (const int socket : sockets) {
            char answer = 0;
            if (::recv(socket, &answer, 1, 0) != 1)
                throw std::runtime_error{"a bare connection failed"};
            ::close(socket);
        }
    }
    const double spent = seconds_now() - start;
    ::kill(server, SIGKILL);
    ::waitpid(server, nullptr, 0);
    ::close(listener);
    return spent;
}

}  // namespace

Figures measure_attached() {
    CloudProcess cloud;
    cloud.start();
    const CredentialHash credential = cloud.credential();
    cloud.stop();
    Shared shared;
    const Key owner = Key::make("bench-owner", shared.entropy);
    Devices devices;
    for (std::size_t i = 0; i < kDevices; ++i)
        devices.push_back(std::make_unique<Device>(shared, i, owner.credential, credential));
    std::optional<Enrolment> enrolment;
    cloud.fill([&](cloud::store::Store& store) { enrolment.emplace(store, devices); },
               [&] { return enrolment->is_done(); });

    // The first time with handshakes, afterwards each with its session.
    cloud.start();
    {
        Fleet{devices, cloud, credential}.wait();
    }
    cloud.stop();
    const double bare_before = bare_connects();
    cloud.start();
    const std::size_t idle_bytes = cloud.user_bytes();
    std::size_t attached_bytes = 0;
    double resumed = 0;
    {
        Fleet fleet{devices, cloud, credential};
        resumed = fleet.wait();
        fleet.serve_for(3);  // what was for a moment only is gone
        attached_bytes = cloud.user_bytes();
    }
    const double cpu = cloud.cpu_seconds();
    cloud.stop();
    const double bare = (bare_before + bare_connects()) / 2;
    std::array<char, 160> memory{};
    std::snprintf(memory.data(),
                  memory.size(),
                  "%.1f MB with %zu devices on %zu uplinks, %.1f MB without",
                  static_cast<double>(attached_bytes) * 1e-6,
                  kDevices,
                  kGateways,
                  static_cast<double>(idle_bytes) * 1e-6);
    std::array<char, 160> speed{};
    std::snprintf(speed.data(),
                  speed.size(),
                  "%zu devices in %.2f s (the cloud computed %.2f s); bare connections %.2f s",
                  kDevices,
                  resumed,
                  cpu,
                  bare);
    return {{.name = "attached_device_user_bytes",
             .value = static_cast<double>(attached_bytes - idle_bytes) / kDevices,
             .unit = "B",
             .aim = Aim{Bound::AtMost, 2'048},
             .against = memory.data()},
            {.name = "resume_ratio",
             .value = bare / resumed,
             .unit = "x",
             .aim = Aim{Bound::AtLeast, 0.5},
             .against = speed.data()}};
}

}  // namespace sotto::bench
