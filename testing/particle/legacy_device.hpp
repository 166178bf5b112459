// SPDX-License-Identifier: Apache-2.0
// An old Particle device, as strict as its firmware is: it reads messages at fixed offsets, has a
// receive buffer of 1,024 bytes (8,192 if it is no bluz) whose overflow is lost, wants the two
// bytes of a size in one piece and a token of one byte, and hangs up on what it does not know.
// Written from what is known of the firmware, and not from the cloud's code. Sans-I/O; for tests
// only.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.hpp"
#include "testing/particle/legacy_keys.hpp"

namespace sotto::testing {

// What differs between them is written where it is used.
enum class Firmware : std::uint8_t {
    Bluz,      // 2.3.50, as 0.5.0
    System06,  // 0.6.4
    System6,   // 6.2.0
};

struct LegacyVariable {
    int type = 2;  // 1 bool, 2 int, 4 string, 9 double
    std::string bytes{};
};

struct LegacyEvent {
    std::string name{};
    std::string data{};
    std::uint32_t ttl_s = 60;
    bool is_public = false;
    friend bool operator==(const LegacyEvent&, const LegacyEvent&) = default;
};

class LegacyDevice {
  public:
    struct Setup {
        Firmware firmware = Firmware::Bluz;
        LegacyId id{};
        const LegacyKey& key;
        std::vector<std::uint8_t> server_key{};  // DER, 294 bytes
        std::uint16_t platform = 103;
        std::uint16_t product = 103;
        std::uint16_t product_version = 8;
        bool is_in_safe_mode = false;
        bool pushes_description = true;  // Firmware::System6
        bool is_updated = false;         // it has restarted with what it was sent
        std::string modules = "[]";      // of its description
    };
    explicit LegacyDevice(Setup setup);

    std::map<std::string, std::function<std::int32_t(const std::string&)>> functions;
    std::map<std::string, LegacyVariable> variables;

    // One piece, as a read from the socket gives it. It waits in the buffer until step().
    void receive(Bytes piece);
    // One turn of its loop: at most one message. False if there is none.
    bool step();
    std::vector<std::uint8_t> take_output();

    // Why it hung up; empty while it did not.
    const std::string& trouble() const { return trouble_; }
    bool is_connected() const { return stage_ == Stage::Connected && trouble_.empty(); }

    void publish(const LegacyEvent& event);
    // `digits`: the part of an id that it keeps.
    void subscribe(const std::string& prefix, bool is_own_only, const std::string& digits = "");
    void ask_time();
    void ping();
    // A message as it is, for tests of what no firmware sends.
    void send_plain(Bytes message);
    // A frame as it is.
    void send_raw(Bytes bytes) { output_.insert(output_.end(), bytes.begin(), bytes.end()); }
    std::uint16_t next_id() { return ++id_; }

    // Functions run when they are called, or, if this is set, at finish_calls(), last one first.
    bool delays_results = false;
    void finish_calls();
    // It hears and does not answer.
    bool is_deaf = false;

    // Updates. In the middle of one it says nothing of its own; after one it hangs up and restarts,
    // and so it does if it took longer than ten minutes.
    bool refuses_updates = false;
    bool is_fast = true;     // if it is no bluz, and the cloud wants to
    std::size_t spoils = 0;  // so many of the next chunks are garbled where it looks at them
    std::vector<std::uint16_t> misses;  // fast: chunks that it loses the first time
    bool is_updating() const { return update_.has_value(); }
    // All of it, padding included, once it has hung up to restart with it.
    const std::vector<std::uint8_t>& installed() const { return installed_; }
    std::size_t chunk_count() const { return chunk_count_; }
    void pass(std::uint32_t ms);

    const std::vector<LegacyEvent>& events() const { return events_; }
    std::optional<bool> signal() const { return signal_; }
    std::optional<std::uint32_t> time() const { return time_; }
    std::size_t ack_count() const { return ack_count_; }

  private:
    enum class Stage : std::uint8_t { Nonce, Answer, Hello, Connected };
    struct Result {
        std::uint8_t token = 0;
        std::int32_t value = 0;
    };

    struct UpdateState {
        std::size_t chunk_size = 0;
        std::size_t size = 0;
        bool is_fast = false;
        std::vector<std::uint8_t> bytes{};
        std::vector<bool> has{};  // fast: by index
        std::uint32_t ms = 0;
        std::uint32_t asked_ms = 0;  // when it last asked for what is missing
        bool is_asking = false;
    };

    void begin_update(const std::vector<std::uint8_t>& message);
    void take_chunk(const std::vector<std::uint8_t>& message);
    void end_update(const std::vector<std::uint8_t>& message);
    void ask_for_missed();
    void install();
    bool step_handshake();
    bool step_frame();
    void on_message(std::vector<std::uint8_t> message);
    void on_get(char path, const std::vector<std::uint8_t>& message);
    void on_post(char path, const std::vector<std::uint8_t>& message);
    void on_put(char path, const std::vector<std::uint8_t>& message);
    void on_connected();
    void describe(const std::vector<std::uint8_t>& message);
    void push_description();
    void call(const std::vector<std::uint8_t>& message);
    void read(const std::vector<std::uint8_t>& message);
    void hear(const std::vector<std::uint8_t>& message);
    std::string name_at_7(const std::vector<std::uint8_t>& message);
    std::string members_json(bool with_system) const;
    bool has_one_byte_token(const std::vector<std::uint8_t>& message);
    void hang_up(const std::string& why);
    void send_hello();
    void send_result(const Result& result);
    std::vector<std::uint8_t> head(std::uint8_t first, std::uint8_t code);

    Setup setup_;
    Stage stage_ = Stage::Nonce;
    std::string trouble_{};
    std::vector<std::uint8_t> buffer_{};
    std::vector<std::uint8_t> output_{};
    std::array<std::uint8_t, 16> aes_{};
    std::array<std::uint8_t, 16> iv_in_{};
    std::array<std::uint8_t, 16> iv_out_{};
    std::uint16_t id_ = 0;
    std::uint8_t token_ = 0;
    std::string argument_{};  // of the last call
    std::vector<Result> delayed_{};
    std::vector<LegacyEvent> events_{};
    std::optional<bool> signal_;
    std::optional<std::uint32_t> time_;
    std::size_t ack_count_ = 0;
    std::optional<UpdateState> update_;
    std::vector<std::uint8_t> installed_{};
    std::size_t chunk_count_ = 0;  // that came
};

}  // namespace sotto::testing
