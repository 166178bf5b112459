// SPDX-License-Identifier: Apache-2.0
// For tests: a crypto that changes nothing, the server that goes with it, and a few members.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/base/assert.hpp"
#include "device/particle/session.hpp"

namespace sotto::device::particle {

using Buffer = std::vector<std::uint8_t>;

// Every block is opened as credentials of zeros, and a signature is what it is of.
class NoCrypto : public Crypto {
  public:
    BytesN<kDeviceKeySize> public_key() const override { return key_; }
    Status private_operation(BytesN<kDeviceModulusSize>,
                             MutBytesN<kDeviceModulusSize> out) override {
        std::fill(out.begin(), out.end(), std::uint8_t{0xff});
        out[0] = 0;
        out[1] = 2;
        std::fill(out.end() - kCredentialsSize - 1, out.end(), std::uint8_t{0});
        return {};
    }
    Status server_operation(BytesN<kServerModulusSize> in,
                            MutBytesN<kServerModulusSize> out) override {
        std::copy(in.begin(), in.end(), out.begin());
        return {};
    }
    void hmac_sha1(Bytes, Bytes, MutBytesN<kMacSize> out) override {
        std::fill(out.begin(), out.end(), std::uint8_t{7});
    }
    Status fill_random(MutBytes out) override {
        std::fill(out.begin(), out.end(), std::uint8_t{5});
        return has_randomness ? Status{} : Error::EntropyFailed;
    }
    void encrypt(const AesKey&, BytesN<kBlockSize>, Bytes in, MutBytes out) override {
        std::copy(in.begin(), in.end(), out.begin());
    }
    void decrypt(const AesKey&, BytesN<kBlockSize>, Bytes in, MutBytes out) override {
        std::copy(in.begin(), in.end(), out.begin());
    }

    bool has_randomness = true;

  private:
    std::array<std::uint8_t, kDeviceKeySize> key_{};
};

// What a server sends, under that crypto.
inline Buffer right_answer() {
    Buffer answer(kAnswerSize, 0xff);
    answer[kDeviceModulusSize] = 0;
    answer[kDeviceModulusSize + 1] = 1;
    answer[kAnswerSize - kMacSize - 1] = 0;
    std::fill_n(answer.end() - kMacSize, kMacSize, std::uint8_t{7});
    return answer;
}
inline Buffer frame_of(Bytes message) {
    const std::size_t padding = kBlockSize - message.size() % kBlockSize;
    const std::size_t size = message.size() + padding;
    Buffer frame{static_cast<std::uint8_t>(size >> 8U), static_cast<std::uint8_t>(size)};
    frame.insert(frame.end(), message.begin(), message.end());
    frame.insert(frame.end(), padding, static_cast<std::uint8_t>(padding));
    return frame;
}
inline const Buffer kServerHello{0x50, 0x02, 0, 1, 0xb1, 'h'};

class SomeMembers final : public Members {
  public:
    std::span<const std::string_view> functions() const override { return kFunctions; }
    std::span<const std::string_view> variables() const override { return kVariables; }
    Result<Value> call(std::size_t function, std::string_view argument) override {
        calls.push_back(std::string{kFunctions[function]} + "(" + std::string{argument} + ")");
        if (on_call) on_call();
        if (function == 1) return Error::InvalidArgument;
        answer_ = argument;
        return Value{std::string_view{answer_}};
    }
    Value read(std::size_t variable) const override {
        if (variable == 0) return std::int32_t{-2};
        if (variable == 1) return true;
        return std::string_view{text};
    }
    void on_signal(bool is_on) override { signals.push_back(is_on); }

    std::vector<std::string> calls;
    std::vector<bool> signals;
    std::string text = "hello";
    std::function<void()> on_call;

  private:
    static constexpr std::string_view kFunctions[] = {"echo", "fail"};
    static constexpr std::string_view kVariables[] = {"count", "is_on", "words"};
    std::string answer_;
};

}  // namespace sotto::device::particle
