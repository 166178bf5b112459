// SPDX-License-Identifier: Apache-2.0
// What was asked, what was run, and what the apps were told: the judge of a simulation.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace sotto::sim {

enum class Verdict { Open, Done, NotRun, Unknown };

class Ledger {
  public:
    // A command that no other command is like.
    std::string draw_command() { return "command-" + std::to_string(++last_); }
    void on_run(const std::string& command) {
        Entry& entry = entries_[command];
        ++entry.run_count;
        if (entry.run_count > 1) complaints_.push_back(command + " was run twice");
        if (entry.verdict == Verdict::NotRun) {
            complaints_.push_back(command + " was run after it was reported as not run");
        }
    }
    void on_told(const std::string& command, Verdict verdict, const std::string& result = {}) {
        Entry& entry = entries_[command];
        entry.verdict = verdict;
        if (verdict == Verdict::Done && entry.run_count != 1) {
            complaints_.push_back(command + " was reported as done and was not run");
        }
        if (verdict == Verdict::Done && result != command) {
            complaints_.push_back(command + " got the result " + result);
        }
        if (verdict == Verdict::NotRun && entry.run_count != 0) {
            complaints_.push_back(command + " was reported as not run and was");
        }
    }
    void complain(const std::string& text) { complaints_.push_back(text); }

    const std::vector<std::string>& complaints() const { return complaints_; }
    std::size_t count(Verdict verdict) const {
        std::size_t count = 0;
        for (const auto& [command, entry] : entries_) count += entry.verdict == verdict ? 1 : 0;
        return count;
    }

  private:
    struct Entry {
        int run_count = 0;
        Verdict verdict = Verdict::Open;
    };
    std::uint64_t last_ = 0;
    std::map<std::string, Entry> entries_;
    std::vector<std::string> complaints_;
};

}  // namespace sotto::sim
