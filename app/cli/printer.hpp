// SPDX-License-Identifier: Apache-2.0
// What `sotto` prints: results on one stream, everything else on the other. Text from devices is
// printed so that it cannot steer the terminal.
#pragma once

#include <iosfwd>
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "app/cli/exit_code.hpp"
#include "core/base/bytes.hpp"

namespace sotto::app {

class Printer {
  public:
    struct Streams {
        std::ostream& out;
        std::ostream& err;
    };
    // `is_terminal`: somebody looks at `out`, so control characters are shown instead of obeyed.
    Printer(Streams streams, bool is_json, bool is_terminal)
        : streams_(streams), is_json_(is_json), is_terminal_(is_terminal) {}
    // Somebody looks at `err`.
    void show_progress() { shows_progress_ = !is_json_; }

    bool is_json() const { return is_json_; }
    // A result: the text, or the JSON value in one line.
    void result(const std::string& text, const nlohmann::json& value);
    // A result, byte for byte, unless it is JSON or somebody looks at it.
    void raw_result(const std::string& bytes, const nlohmann::json& value);
    // How far it has come, in place of what was said before; only where somebody looks at it.
    void progress(const std::string& text);
    // Something on the way, for people.
    void note(const std::string& text);
    // Why the job is not done and what to do; the exit code that goes with it.
    ExitCode failure(const Failure& failure);

  private:
    std::string shown(const std::string& text) const;
    void end_progress();

    Streams streams_;
    bool is_json_;
    bool is_terminal_;
    bool shows_progress_ = false;
    std::size_t progress_size_ = 0;  // of what stands in the line
};

}  // namespace sotto::app
