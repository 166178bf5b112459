// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/fleet.hpp"

#include "tests/sim/app.hpp"
#include "tests/sim/nonce_book.hpp"

namespace sotto::sim {
namespace {

constexpr std::size_t kDevices = 2;
constexpr int kSessionsPerDevice = 2;

using Cut = testing::MemoryStorage::Cut;

class Fleet {
  public:
    explicit Fleet(std::uint64_t seed)
        : world_(seed),
          entropy_(seed),
          owner_(Party::make("owner", entropy_)),
          cloud_(world_, ledger_, seed + 7) {
        std::vector<Device*> devices;
        for (std::size_t i = 0; i < kDevices; ++i) {
            devices_.push_back(std::make_unique<Device>(world_, ledger_, seed * 10 + i));
            devices.push_back(devices_.back().get());
        }
        gateway_ = std::make_unique<Gateway>(world_, cloud_, devices);
        std::uint8_t number = 0;
        for (Device* device : devices) {
            for (int i = 0; i < kSessionsPerDevice; ++i) {
                apps_.push_back(std::make_unique<App>(App::Setup{.world = world_,
                                                                 .ledger = ledger_,
                                                                 .cloud = cloud_,
                                                                 .device = *device,
                                                                 .party = owner_,
                                                                 .number = ++number}));
            }
        }
    }

    Report run(Duration duration) {
        world_.faults = {.drop = draw_up_to(0.3),
                         .duplicate = draw_up_to(0.2),
                         .corrupt = draw_up_to(0.1),
                         .delay = draw_up_to(0.2),
                         .crash = draw_up_to(0.2)};
        for (std::int64_t second = 0; second < duration.ms / 1'000; ++second) {
            if (world_.chance.happens(world_.faults.crash)) break_something();
            world_.run(seconds(1));
        }
        settle();
        check();
        return report();
    }

  private:
    double draw_up_to(double limit) {
        return limit * static_cast<double>(world_.chance.below(1'000)) / 1'000;
    }
    Cut draw_cut() { return world_.chance.happens(0.5) ? Cut::Old : Cut::New; }

    void break_something() {
        Device& device = *devices_[world_.chance.below(devices_.size())];
        App& app = *apps_[world_.chance.below(apps_.size())];
        const Duration later =
            milliseconds(static_cast<std::int64_t>(world_.chance.below(4'000)) + 1);
        switch (world_.chance.below(6)) {
            case 0:
                return gateway_->crash();
            case 1:
                return cloud_.crash();
            case 2:
                return app.crash();
            case 3:
                app.cut_power_soon(world_.chance.below(4), draw_cut());
                return world_.at(later, [&app] { app.crash(); });
            case 4:
                device.crash();
                return gateway_->on_device_gone(&device);
            default:
                device.cut_power_soon(world_.chance.below(6), draw_cut());
                return world_.at(later, [this, &device] {
                    device.crash();
                    gateway_->on_device_gone(&device);
                });
        }
    }

    // No more faults: what is under way ends, and then everything must work.
    void settle() {
        world_.faults = {};
        world_.run(seconds(60));
        for (auto& app : apps_) app->rest();
        world_.run(minutes(2));
        for (auto& app : apps_) {
            // It may be renewing a registration just now.
            for (int i = 0; i < 20 && !app->is_idle(); ++i) world_.run(seconds(1));
            if (!app->is_idle()) ledger_.complain("a job has no end");
            if (!app->is_paired()) {
                ledger_.complain("an app could not pair in the end");
                continue;
            }
            const std::size_t before = ledger_.count(Verdict::Done);
            app->begin_command();
            world_.run(seconds(25));
            if (ledger_.count(Verdict::Done) != before + 1) {
                ledger_.complain("a command after all faults was not done; " + app->last_end() +
                                 (cloud_.is_connected(app->device().id())
                                      ? ""
                                      : "; the device is not attached"));
            }
        }
        if (ledger_.count(Verdict::Open) != 0) ledger_.complain("a command was never answered");
    }

    // Whatever happened, both ends agree on who owns whom.
    void check() {
        for (auto& app : apps_) {
            const auto peer = keystore::load_peer(app->storage());
            const auto root = keystore::load_root(app->device().storage());
            if (!peer || !root || !peer->is_paired) continue;
            if (!equal(root->owner, app->party().credential.bytes()))
                ledger_.complain("a pairing is half done: the device has another owner");
            if (peer->generation == root->generation &&
                !ct_equal(peer->token_key.expose(), root->token_key.expose()))
                ledger_.complain("K_tok differs");
            if (peer->generation > root->generation)
                ledger_.complain("the device forgot a pairing");
        }
        if (nonces_used_twice() != 0) ledger_.complain("a nonce was used twice");
    }

    Report report() const {
        Report report{.complaints = ledger_.complaints(),
                      .done = ledger_.count(Verdict::Done),
                      .not_run = ledger_.count(Verdict::NotRun),
                      .unknown = ledger_.count(Verdict::Unknown),
                      .deferred = 0,
                      .events = 0,
                      .relayed = cloud_.relayed_count(),
                      .seals = seal_count()};
        for (const auto& app : apps_) {
            report.events += app->event_count();
            report.deferred += app->deferred_count();
        }
        return report;
    }

    World world_;
    Ledger ledger_;
    testing::SeededEntropy entropy_;
    const Party owner_;
    Cloud cloud_;
    std::vector<std::unique_ptr<Device>> devices_;
    std::unique_ptr<Gateway> gateway_;
    std::vector<std::unique_ptr<App>> apps_;
};

}  // namespace

Report run_fleet(std::uint64_t seed, Duration duration) {
    forget_nonces();
    return Fleet{seed}.run(duration);
}

}  // namespace sotto::sim
