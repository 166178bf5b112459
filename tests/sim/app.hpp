// SPDX-License-Identifier: Apache-2.0
// An app of the simulation: pairs, gives the device its cloud, sends commands, reads, watches; by
// way of the cloud or nearby; and leaves commands in the cloud for later.
#pragma once

#include "core/session/client.hpp"
#include "tests/sim/outbox.hpp"
#include "tests/sim/relays.hpp"

namespace sotto::sim {

class App final : public ChannelEnd {
  public:
    struct Setup {
        World& world;
        Ledger& ledger;
        Cloud& cloud;
        Device& device;
        const Party& party;
        std::uint8_t number;   // tells the sessions of one owner apart
        bool is_owner = true;  // knows the device's code and pairs
    };
    explicit App(const Setup& setup);

    // The process dies, perhaps in the middle of a write, and is started again.
    void crash();
    void cut_power_soon(std::size_t writes, testing::MemoryStorage::Cut cut) {
        storage_.cut_power_at_write(writes, cut);
    }
    bool is_dead() const { return storage_.is_cut(); }

    void on_record(const Message& record) override;
    void on_channel_closed() override;

    // Begins no more jobs of its own.
    void rest() { is_resting_ = true; }
    bool is_idle() const { return job_ == Job::None && !client_->is_busy() && outbox_.is_empty(); }
    // A command now, to see whether the line lives. True when it was done.
    void begin_command(bool is_letter = false);
    bool is_paired() const;
    // Which way the last job took, and how it ended if it failed.
    std::string last_end() const { return (is_nearby_ ? "nearby: " : "by the cloud: ") + end_; }
    testing::MemoryStorage& storage() { return storage_; }
    Device& device() { return setup_.device; }
    const Party& party() const { return setup_.party; }
    std::size_t event_count() const { return event_count_; }
    bool has_cloud() const { return has_cloud_; }
    std::size_t deferred_count() const { return outbox_.done_count(); }

  private:
    enum class Job {
        None,
        Pair,
        AskNetwork,
        Assign,
        Confirm,
        Command,
        Read,
        ReadLetter,
        Watch,
        Settle
    };

    void boot();
    void tick();
    void pump();
    void begin_job();
    void defer_command();
    void hand_in();
    void begin_settling();
    std::uint32_t time() const { return static_cast<std::uint32_t>(setup_.world.now.ms / 1'000); }
    void begin(Job job, const session::Request& request);
    void try_cloud();
    void confirm_cloud();
    void put_network(Job job, Bytes payload);
    void on_event(const session::Event& event);
    void on_answer(const session::Answer& answer);
    void on_ended(session::Reason reason);
    void on_command_answer(const session::Answer& answer);
    void close_command(Verdict verdict, const std::string& result = {});
    void send(const Message& message);
    void send_to_cloud(const framing::channel::Record& record);
    void receive(const Message& message);

    Setup setup_;
    testing::SeededEntropy entropy_;
    testing::MemoryStorage storage_;
    cloud::model::AppId app_id_;
    std::optional<session::Client> client_;
    std::optional<cloud::services::AppConnectionId> channel_;
    Job job_ = Job::None;
    std::string command_;
    Outbox outbox_;
    std::uint32_t settling_ = 0;  // the reference of what Job::Settle is about
    Instant handed_in_{};
    bool is_letter_ = false;
    std::string argument_;  // borrowed by the client, as this:
    std::vector<std::uint8_t> room_ = std::vector<std::uint8_t>(kLetterSizeMax);
    std::string end_;
    std::uint32_t network_version_ = 0;
    bool is_nearby_ = true;
    bool is_resting_ = false;
    bool is_watching_ = false;
    bool has_cloud_ = false;
    bool is_on_trial_ = false;
    std::uint32_t reference_ = 0;
    std::size_t event_count_ = 0;
    std::uint64_t life_ = 0;
};

}  // namespace sotto::sim
