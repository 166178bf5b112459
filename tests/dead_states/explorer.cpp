// SPDX-License-Identifier: Apache-2.0
#include "tests/dead_states/explorer.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <malloc.h>
#include <mutex>
#include <thread>
#include <unistd.h>
#include <unordered_set>

namespace sotto::dead_states {
namespace {

constexpr std::size_t kDeadMax = 20;  // shown

using Kinds = std::vector<std::size_t>;

// What this thread is trying, for a signal handler.
thread_local std::array<char, 512> trying{};

void say_what_was_tried(int signal) {
    constexpr std::string_view kFront = "dead-states: this ended the process: ";
    (void)!write(STDERR_FILENO, kFront.data(), kFront.size());
    (void)!write(STDERR_FILENO, trying.data(), strnlen(trying.data(), trying.size()));
    (void)!write(STDERR_FILENO, "\n", 1);
    std::signal(signal, SIG_DFL);
}

enum class Verdict : std::uint8_t { Alive, Known, Skipped, Dead };

// The states that were tried.
class Atlas {
  public:
    // False if it was there.
    bool add(std::uint64_t state) {
        Shard& shard = shards_[state % shards_.size()];
        const std::lock_guard lock{shard.mutex};
        return shard.states.insert(state).second;
    }

  private:
    struct Shard {
        std::mutex mutex;
        std::unordered_set<std::uint64_t> states;
    };
    std::array<Shard, 64> shards_;
};

class Trial {
  public:
    Trial(const Part& part, std::size_t start) : part_(part), start_(start) {}

    Verdict run(const Kinds& kinds, Atlas* atlas = nullptr) {
        note(kinds);
        try {
            const std::unique_ptr<World> world = part_.make(start_);
            for (const std::size_t kind : kinds) {
                if (!world->apply(kind)) return Verdict::Skipped;
            }
            if (atlas != nullptr) {
                const auto state = world->fingerprint();
                if (state && !atlas->add(*state)) return Verdict::Known;
            }
            world->expect_alive();
            return Verdict::Alive;
        } catch (const std::exception& error) {
            why_ = error.what();
            return Verdict::Dead;
        }
    }
    const std::string& why() const { return why_; }

  private:
    void note(const Kinds& kinds) const {
        std::size_t size = 0;
        const auto add = [&size](std::string_view text) {
            const std::size_t count = std::min(text.size(), trying.size() - 1 - size);
            std::copy_n(text.begin(), count, trying.begin() + static_cast<std::ptrdiff_t>(size));
            size += count;
            trying[size] = '\0';
        };
        add(part_.name);
        add("/");
        add(part_.starts[start_]);
        for (const std::size_t kind : kinds) {
            add(" ");
            add(part_.kinds[kind]);
        }
    }

    const Part& part_;
    std::size_t start_;
    std::string why_;
};

// One report that several threads add to.
class Ledger {
  public:
    Ledger(const Part& part, std::size_t start) : part_(part), start_(start) {}

    void add(Verdict verdict, const Kinds& kinds, const std::string& why) {
        if (verdict == Verdict::Alive) ++tried_;
        if (verdict == Verdict::Known) ++known_;
        if (verdict == Verdict::Skipped) ++skipped_;
        if (verdict != Verdict::Dead) return;
        ++tried_;
        const std::lock_guard lock{mutex_};
        if (dead_.size() < kDeadMax)
            dead_.push_back(describe(part_, start_, kinds) + "\n    " + why);
    }
    bool is_full() {
        const std::lock_guard lock{mutex_};
        return dead_.size() >= kDeadMax;
    }
    Report report() {
        return {.tried = tried_, .known = known_, .skipped = skipped_, .dead = std::move(dead_)};
    }

  private:
    const Part& part_;
    std::size_t start_;
    std::atomic<std::uint64_t> tried_ = 0;
    std::atomic<std::uint64_t> known_ = 0;
    std::atomic<std::uint64_t> skipped_ = 0;
    std::mutex mutex_;
    std::vector<std::string> dead_;
};

// All sequences of one length, each a continuation of one that was worth it.
class Level {
  public:
    Level(const Part& part, std::size_t start, Ledger& ledger, Atlas& atlas)
        : part_(part), start_(start), ledger_(ledger), atlas_(atlas) {}

    // Tries what continues `before` by one kind. Returns those to be gone on with.
    std::vector<Kinds> run(const std::vector<Kinds>& before, std::size_t to_go, unsigned threads) {
        std::vector<Kinds> alive;
        std::mutex mutex;
        std::atomic<std::size_t> next = 0;
        const auto work = [&] {
            Trial trial{part_, start_};
            for (std::size_t i = next++; i < before.size(); i = next++) {
                for (Kinds& kinds : extend(trial, before[i], to_go)) {
                    const std::lock_guard lock{mutex};
                    alive.push_back(std::move(kinds));
                }
            }
        };
        std::vector<std::jthread> workers;
        for (unsigned i = 1; i < threads; ++i) workers.emplace_back(work);
        work();
        workers.clear();
        return alive;
    }

  private:
    std::vector<Kinds> extend(Trial& trial, const Kinds& before, std::size_t to_go) {
        std::vector<Kinds> alive;
        for (std::size_t kind = 0; kind < part_.kinds.size() && !ledger_.is_full(); ++kind) {
            Kinds kinds = before;
            kinds.push_back(kind);
            const Verdict verdict = trial.run(kinds, &atlas_);
            ledger_.add(verdict, kinds, trial.why());
            if (verdict == Verdict::Alive && to_go > 0) alive.push_back(std::move(kinds));
        }
        return alive;
    }

    const Part& part_;
    std::size_t start_;
    Ledger& ledger_;
    Atlas& atlas_;
};

std::uint64_t mix(std::uint64_t& state) {
    state += 0x9e3779b97f4a7c15;
    std::uint64_t z = state;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
}

}  // namespace

Report explore(const Part& part, std::size_t start, std::size_t depth, unsigned threads) {
#ifdef __GLIBC__
    mallopt(M_PERTURB, 0xff);  // what malloc gives is zero: padding is the same in equal states
#endif
    Ledger ledger{part, start};
    Atlas atlas;
    Trial trial{part, start};
    const Verdict verdict = trial.run({}, &atlas);
    ledger.add(verdict, {}, trial.why());
    std::vector<Kinds> alive;
    if (verdict == Verdict::Alive) alive.emplace_back();
    Level level{part, start, ledger, atlas};
    // The short ones first: a state is known from the shortest way to it.
    for (std::size_t size = 1; size <= depth; ++size)
        alive = level.run(alive, depth - size, threads);
    return ledger.report();
}

Report sample(const Part& part,
              std::size_t start,
              std::size_t depth,
              std::uint64_t count,
              std::uint64_t seed) {
    Ledger ledger{part, start};
    Trial trial{part, start};
    for (std::uint64_t i = 0; i < count && !ledger.is_full(); ++i) {
        Kinds kinds(depth);
        for (std::size_t& kind : kinds) kind = mix(seed) % part.kinds.size();
        // A sequence that ends early is tried as far as it goes.
        Verdict verdict = trial.run(kinds);
        while (verdict == Verdict::Skipped && !kinds.empty()) {
            kinds.pop_back();
            verdict = trial.run(kinds);
        }
        ledger.add(verdict, kinds, trial.why());
    }
    return ledger.report();
}

std::string replay(const Part& part, std::size_t start, const std::vector<std::size_t>& kinds) {
    Trial trial{part, start};
    switch (trial.run(kinds)) {
        case Verdict::Alive:
        case Verdict::Known:
            return {};
        case Verdict::Skipped:
            return "there is nothing of the last kind in that state";
        case Verdict::Dead:
            return trial.why();
    }
    return {};
}

std::string describe(const Part& part, std::size_t start, const std::vector<std::size_t>& kinds) {
    std::string text{part.name};
    text.append("/").append(part.starts[start]);
    for (const std::size_t kind : kinds) text.append(" ").append(part.kinds[kind]);
    return text;
}

void tell_on_abort() {
    for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE})
        std::signal(number, say_what_was_tried);
}

}  // namespace sotto::dead_states
