// SPDX-License-Identifier: Apache-2.0
#include "app/cli/deferred.hpp"

#include <chrono>

#include <nlohmann/json.hpp>

#include "app/cli/calendar.hpp"
#include "app/cli/cloud_trial.hpp"
#include "app/cli/way.hpp"
#include "core/base/hex.hpp"
#include "ports/linux/system_clock.hpp"

namespace sotto::app {
namespace {

// A device judges by its own clock, and its answer needs a moment.
constexpr std::uint32_t kGraceS = 60;
// For so long a device that was away is asked what became of a command whose time is over.
constexpr std::uint32_t kGiveUpS = 7 * 86'400;

// A device, the session that commands wait in, and the cloud where they wait.
class Mailing {
  public:
    // Nothing if there is no session with the device.
    static Outcome<std::unique_ptr<Mailing>> open(const DeviceEntry& entry,
                                                  const Home& home,
                                                  const Job& job) {
        SOTTO_TRY_ASSIGN(auto session, home.take_mail_session(entry.id));
        if (!session) return std::unique_ptr<Mailing>{};
        SOTTO_TRY_ASSIGN(keystore::Identity identity, home.identity_of(entry.id, job.entropy));
        SOTTO_TRY_ASSIGN(const std::optional<Account> account, home.account_of(entry.id));
        if (!account)
            return Failure{
                Trouble::SignIn, "no cloud is known here", "Sign in first: sotto login URL"};
        SOTTO_TRY_ASSIGN(const CloudLogin login, login_of(*account));
        SOTTO_TRY_ASSIGN(const AppId app_id, app_id_of(*session->storage, job.entropy));
        SOTTO_TRY_ASSIGN(
            auto cloud,
            CloudTransport::connect(
                login, app_id, entry.id, job.settings.patience, CloudTransport::Purpose::Mail));
        return std::unique_ptr<Mailing>{
            new Mailing{*std::move(session), std::move(identity), std::move(cloud), job}};
    }

    Device& device() { return device_; }
    CloudTransport& cloud() { return *cloud_; }
    std::uint8_t slot() const { return session_.slot; }

  private:
    Mailing(Home::MailSession session,
            keystore::Identity identity,
            std::unique_ptr<CloudTransport> cloud,
            const Job& job)
        : session_(std::move(session)),
          identity_(std::move(identity)),
          cloud_(std::move(cloud)),
          device_({.identity = identity_,
                   .storage = *session_.storage,
                   .entropy = job.entropy,
                   .transport = *cloud_,
                   .now = ports::SystemClock::now,
                   .patience = job.settings.patience,
                   .since_1970 = since_1970()}) {}

    Home::MailSession session_;
    keystore::Identity identity_;
    std::unique_ptr<CloudTransport> cloud_;
    Device device_;
};

// Lets the cloud store a sealed command, and notes what it says.
Outcome<> hand_in(OutboxEntry& entry,
                  const DeviceEntry& device,
                  CloudTransport& cloud,
                  const Home& home,
                  const Job& job) {
    const std::uint32_t now = time_now();
    if (entry.not_after <= now) return {};
    const Outcome<> stored = cloud.store(
        {.reference = entry.number, .lifetime_s = entry.not_after - now, .message = entry.message},
        job.settings.patience);
    if (!stored && stored.error().trouble != Trouble::Refused) return stored;
    entry.stage = stored ? Stage::Stored : Stage::Refused;
    if (!stored) entry.result = stored.error().what;
    entry.message.clear();
    SOTTO_TRY(home.update_outbox(device.id, entry));
    return stored;
}

void note_answer(OutboxEntry& entry, const Device::Answered& answer) {
    entry.code = answer.code;
    entry.message.clear();
    if (coap::is_success(answer.code)) {
        entry.stage = Stage::Done;
        entry.result = answer.payload;
    } else if (answer.code == coap::Code::PreconditionFailed) {
        entry.stage = Stage::Expired;
    } else if (answer.code == coap::Code::InternalServerError) {
        entry.stage = Stage::Unknown;
    } else {
        entry.stage = Stage::Refused;
    }
}

// What the device or the cloud had to say of one device's commands.
class Collection {
  public:
    Collection(const DeviceEntry& device, const Home& home, const Job& job)
        : device_(device), home_(home), job_(job) {}

    Outcome<> run() {
        SOTTO_TRY_ASSIGN(entries_, home_.outbox(device_.id));
        if (std::ranges::all_of(entries_, &OutboxEntry::has_ended)) return {};
        SOTTO_TRY_ASSIGN(const auto mailing, Mailing::open(device_, home_, job_));
        if (mailing == nullptr) return {};  // there must be one: the commands wait in it
        SOTTO_TRY(take_mail(*mailing));
        for (OutboxEntry& entry : entries_) {
            if (entry.stage == Stage::Sealed && time_now() < entry.not_after) {
                const Outcome<> stored = hand_in(entry, device_, mailing->cloud(), home_, job_);
                if (!stored && stored.error().trouble != Trouble::Refused) return stored;
            }
        }
        return settle(*mailing);
    }

  private:
    Outcome<> take_mail(Mailing& mailing) {
        while (true) {
            SOTTO_TRY_ASSIGN(const auto mail, mailing.cloud().next_mail(job_.settings.patience));
            if (!mail) return {};
            for (OutboxEntry& entry : entries_) {
                if (entry.has_ended() && entry.stage != Stage::Expired) continue;
                SOTTO_TRY(take(*mail, entry, mailing));
            }
            mailing.cloud().acknowledge();  // what it says is stored here now
        }
    }

    Outcome<> take(const Mail& mail, OutboxEntry& entry, Mailing& mailing) {
        if (mail.fate) {
            if (mail.reference != entry.number || entry.has_ended()) return {};
            entry.stage =
                *mail.fate == framing::channel::Fate::Expired ? Stage::Expired : Stage::Dropped;
            entry.message.clear();
            return home_.update_outbox(device_.id, entry);
        }
        SOTTO_TRY_ASSIGN(const auto answer, mailing.device().open(entry.deferred, mail.message));
        if (!answer) return {};
        note_answer(entry, *answer);
        return home_.update_outbox(device_.id, entry);
    }

    // Whose time is over and who got no answer: the device knows, if it can be asked. None that was
    // sealed before can run afterwards [SES-45], so nobody may still have time.
    Outcome<> settle(Mailing& mailing) {
        const std::uint32_t now = time_now();
        const auto may_run = [now](const OutboxEntry& entry) {
            return !entry.has_ended() && now <= entry.not_after + kGraceS;
        };
        if (std::ranges::any_of(entries_, may_run)) return {};
        for (OutboxEntry& entry : entries_) {
            if (entry.has_ended()) continue;
            const auto settled = mailing.device().settle(entry.deferred);
            if (settled) {
                note_answer(entry, *settled);
            } else if (settled.error().trouble == Trouble::Unreachable) {
                entry.stage = Stage::Expired;  // it says that it did not run it
            } else if (now > entry.not_after + kGiveUpS) {
                entry.stage = Stage::Unknown;
            } else {
                continue;  // it is asked the next time
            }
            entry.message.clear();
            SOTTO_TRY(home_.update_outbox(device_.id, entry));
        }
        return {};
    }

    const DeviceEntry& device_;
    const Home& home_;
    const Job& job_;
    std::vector<OutboxEntry> entries_;
};

struct Words {
    const char* state;
    const char* text;
};

Words words_of(const OutboxEntry& entry) {
    const bool is_over = time_now() > entry.not_after;
    switch (entry.stage) {
        case Stage::Sealed:
        case Stage::Stored:
            if (is_over) return {"open", "has no answer, and its time is over: ask again later"};
            if (entry.stage == Stage::Sealed)
                return {"waiting", "is not known to be at the cloud yet"};
            return {"waiting", "waits for the device"};
        case Stage::Done:
            return {"done", "was run"};
        case Stage::Expired:
            return {"expired", "was not run: its time was over"};
        case Stage::Dropped:
            return {"dropped", "was not handed on: the device belongs to another account now"};
        case Stage::Unknown:
            return {"unknown", "may have run, once: look at the device before you repeat it"};
        case Stage::Refused:
            break;
    }
    if (entry.code == coap::Code::ServiceUnavailable)
        return {"refused",
                "was not run: the device does not know the time. A live command tells it"};
    if (entry.code == coap::Code::Conflict)
        return {"refused", "was not run: a later one came before it"};
    if (entry.code == coap::Code::NotFound)
        return {"refused", "was not run: the device has no such function"};
    if (entry.code == coap::Code::Empty) return {"refused", "was not taken by the cloud"};
    return {"refused", "was refused by the device"};
}

void print(const DeviceEntry& device, const OutboxEntry& entry, Printer& printer) {
    const std::string name = device.shown_name();
    const Words words = words_of(entry);
    std::string text = std::to_string(entry.number) + "  " + name + "  " + entry.function;
    if (!entry.argument.empty()) text += " " + entry.argument;
    text += "  " + std::string{words.text};
    if (!entry.has_ended()) text += ", until " + text_of(entry.not_after);
    if (!entry.result.empty()) text += ": " + entry.result;
    printer.result(text,
                   {{"device", name},
                    {"id", to_hex<std::string>(device.id)},
                    {"number", entry.number},
                    {"function", entry.function},
                    {"argument", entry.argument},
                    {"until", text_of(entry.not_after)},
                    {"state", words.state},
                    {"why", words.text},
                    {"result", entry.result}});
}

Outcome<std::vector<DeviceEntry>> devices_of(const OutboxCommand& command, const Home& home) {
    if (command.device.empty()) return home.devices();
    SOTTO_TRY_ASSIGN(DeviceEntry entry, home.find(command.device));
    return std::vector<DeviceEntry>{std::move(entry)};
}

}  // namespace

Outcome<> call_later(const CallCommand& command, const Job& job) {
    SOTTO_TRY_ASSIGN(const Home home, Home::open(job.settings.state));
    SOTTO_TRY_ASSIGN(const DeviceEntry device, home.find(command.device));
    SOTTO_TRY_ASSIGN(const auto mailing, Mailing::open(device, home, job));
    if (mailing == nullptr)
        return Failure{Trouble::Unreachable,
                       "the device is not connected, and there is no session with it yet in which "
                       "a call could wait",
                       "Call it once while it is connected; after that, calls can wait for it"};
    const std::uint32_t now = time_now();
    const auto lifetime = static_cast<std::uint32_t>(command.within->ms / 1'000);
    OutboxEntry entry{.slot = mailing->slot(),
                      .deferred = {},
                      .sealed_at = now,
                      .not_after = now + lifetime,
                      .function = command.function,
                      .argument = command.argument,
                      .result = {},
                      .message = {}};
    SOTTO_TRY_ASSIGN(auto sealed,
                     mailing->device().seal(entry.function, entry.argument, entry.not_after));
    entry.deferred = sealed.deferred;
    entry.message = std::move(sealed.message);
    SOTTO_TRY(home.add_to_outbox(device.id, entry));  // before it can be anywhere else
    SOTTO_TRY(hand_in(entry, device, mailing->cloud(), home, job));
    const std::string until = text_of(entry.not_after);
    job.printer.result("stored until " + until + " (number " + std::to_string(entry.number) + ")",
                       {{"stored", true}, {"number", entry.number}, {"until", until}});
    return {};
}

Outcome<> run(const OutboxCommand& command, const Job& job) {
    SOTTO_TRY_ASSIGN(const Home home, Home::open(job.settings.state));
    SOTTO_TRY_ASSIGN(const std::vector<DeviceEntry> devices, devices_of(command, home));
    Outcome<> end;
    bool is_empty = true;
    for (const DeviceEntry& device : devices) {
        const Outcome<> collected = Collection{device, home, job}.run();
        if (!collected) end = collected;  // what is known is told all the same
        SOTTO_TRY_ASSIGN(const std::vector<OutboxEntry> entries, home.outbox(device.id));
        for (const OutboxEntry& entry : entries) print(device, entry, job.printer);
        is_empty = is_empty && entries.empty();
    }
    if (is_empty) job.printer.note("No call waits, and none did lately");
    return end;
}

}  // namespace sotto::app
