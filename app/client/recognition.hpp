// SPDX-License-Identifier: Apache-2.0
// Which of the devices in reach to ask who they are: those that are recognised by their tags, and
// others only later, or never (docs/protocol/air.md, "Tags"). Pure.
#pragma once

#include <optional>
#include <vector>

#include "core/base/time.hpp"
#include "core/session/tag_key.hpp"

namespace sotto::app {

class Recognition {
  public:
    // When others than the recognised are asked, from the beginning.
    struct Patience {
        Duration without_tag{};               // new ones, and those that do not know the time
        std::optional<Duration> strangers{};  // with the tags of somebody else; nothing: never
    };
    // For one device: with its key, if that is known. A clock may be wrong by more than a period,
    // so all are asked in the end.
    static Recognition of_device(std::optional<session::TagKey> key) {
        std::vector<session::TagKey> keys;
        const Duration without_tag = key ? kRecogniseTime : Duration{};
        if (key) keys.push_back(*std::move(key));
        return {std::move(keys), {.without_tag = without_tag, .strangers = kStrangersTime}};
    }
    Recognition(std::vector<session::TagKey> keys, Patience patience)
        : keys_(std::move(keys)), patience_(patience) {}

    bool is_welcome(const std::optional<framing::Tag>& tag,
                    std::uint32_t unix_seconds,
                    Duration since_begin) const {
        if (!tag) return since_begin >= patience_.without_tag;
        for (const session::TagKey& key : keys_) {
            if (session::is_tag_of(key, unix_seconds, *tag)) return true;
        }
        return patience_.strangers && since_begin >= *patience_.strangers;
    }

    static constexpr Duration kRecogniseTime = seconds(2);
    static constexpr Duration kStrangersTime = seconds(6);

  private:
    std::vector<session::TagKey> keys_;
    Patience patience_;
};

}  // namespace sotto::app
