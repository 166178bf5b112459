// SPDX-License-Identifier: Apache-2.0
// What the chip and the sketch bring to the images of tests/size. Their bodies are in another
// source, so that the compiler can't look through them.
#pragma once

#include "core/base/time.hpp"
#include "core/hal/entropy.hpp"
#include "core/hal/storage.hpp"
#include "core/session/channel.hpp"
#include "core/session/resources.hpp"

namespace sotto::firmware {

class Flash final : public hal::Storage {
  public:
    Result<std::size_t> load(hal::RecordId id, MutBytes out) override;
    Status store(hal::RecordId id, Bytes record) override;
    Status erase(hal::RecordId id) override;
};

class Noise final : public hal::Entropy {
  public:
    Status fill(MutBytes out) override;
};

class Sketch final : public session::Resources {
  public:
    bool find(session::ResourceKind kind,
              std::string_view name,
              session::Traits& traits) const override;
    Status call(std::uint8_t function,
                const session::Content& argument,
                session::Format wanted,
                session::Excerpt& out) override;
    Status read(std::uint8_t variable, session::Format wanted, session::Excerpt& out) override;
    Status describe(session::Excerpt& out) const override;
};

struct Input {
    session::Channel channel;
    Bytes message;
    Instant now{};
    bool has_button = false;
    bool has_reset = false;
    bool has_event = false;
};

Input wait();
void send(session::Channel channel, Bytes message);

}  // namespace sotto::firmware
