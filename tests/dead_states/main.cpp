// SPDX-License-Identifier: Apache-2.0
// sotto-dead-states: tries everything that can come to a part of the line, out of order.
#include <chrono>
#include <cstdio>
#include <exception>
#include <thread>

#include <CLI/CLI.hpp>

#include "tests/dead_states/explorer.hpp"

namespace {

using namespace sotto::dead_states;  // NOLINT(google-build-using-namespace)

struct Options {
    std::string part;
    std::size_t depth = 4;
    std::uint64_t sample = 0;
    std::uint64_t seed = 1;
    unsigned threads = std::max(1U, std::thread::hardware_concurrency());
    std::vector<std::string> sequence;
};

// Whether PART or PART/START of the command line means this one.
bool is_wanted(const Options& options, const Part& part, std::size_t start) {
    const std::string name{part.name};
    return options.part.empty() || options.part == name ||
           options.part == name + "/" + std::string{part.starts[start]};
}

bool run(const Options& options, const Part& part, std::size_t start) {
    const auto began = std::chrono::steady_clock::now();
    const Report report = options.sample > 0
                              ? sample(part, start, options.depth, options.sample, options.seed)
                              : explore(part, start, options.depth, options.threads);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    std::printf(
        "%-28s %2zu kinds, depth %zu: %llu tried, %llu led to a known state, %.1f s, "
        "%zu dead\n",
        describe(part, start, {}).c_str(),
        part.kinds.size(),
        options.depth,
        static_cast<unsigned long long>(report.tried),
        static_cast<unsigned long long>(report.known),
        took.count(),
        report.dead.size());
    for (const std::string& text : report.dead)
        std::printf("  ./dev dead-states --replay %s\n", text.c_str());
    std::fflush(stdout);
    return report.dead.empty();
}

// --replay PART/START KIND...
int run_one(const Options& options) {
    for (const Part& part : all_parts()) {
        for (std::size_t start = 0; start < part.starts.size(); ++start) {
            if (describe(part, start, {}) != options.sequence.front()) continue;
            std::vector<std::size_t> kinds;
            for (std::size_t i = 1; i < options.sequence.size(); ++i) {
                const auto found =
                    std::find(part.kinds.begin(), part.kinds.end(), options.sequence[i]);
                if (found == part.kinds.end())
                    throw std::invalid_argument("there is no kind " + options.sequence[i]);
                kinds.push_back(static_cast<std::size_t>(found - part.kinds.begin()));
            }
            const std::string why = replay(part, start, kinds);
            std::printf("%s\n", why.empty() ? "it lives" : why.c_str());
            return why.empty() ? 0 : 1;
        }
    }
    throw std::invalid_argument("there is no state " + options.sequence.front());
}

int run_all(const Options& options) {
    std::size_t run_count = 0;
    std::size_t failed = 0;
    for (const Part& part : all_parts()) {
        for (std::size_t start = 0; start < part.starts.size(); ++start) {
            if (!is_wanted(options, part, start)) continue;
            ++run_count;
            failed += run(options, part, start) ? 0 : 1;
        }
    }
    if (run_count == 0) throw std::invalid_argument("there is no part " + options.part);
    std::printf("%zu of %zu states lead to no dead one\n", run_count - failed, run_count);
    return failed == 0 ? 0 : 1;
}

void list() {
    for (const Part& part : all_parts()) {
        for (std::size_t start = 0; start < part.starts.size(); ++start)
            std::printf("%s\n", describe(part, start, {}).c_str());
        for (const std::string_view kind : part.kinds)
            std::printf("    %.*s\n", static_cast<int>(kind.size()), kind.data());
    }
}

}  // namespace

int main(int argc, char** argv) {
    try {
        CLI::App app{"Tries everything that can come to a part of the line, out of order."};
        Options options;
        bool is_list = false;
        app.add_option("part", options.part, "PART or PART/START; without it all of them");
        app.add_option("--depth", options.depth, "longest sequence")->capture_default_str();
        app.add_option("--sample", options.sample, "so many sequences of that length by chance");
        app.add_option("--seed", options.seed, "of the chance")->capture_default_str();
        app.add_option("--threads", options.threads, "at a time")->capture_default_str();
        app.add_option("--replay", options.sequence, "PART/START KIND...: one sequence");
        app.add_flag("--list", is_list, "names parts, states and kinds");
        CLI11_PARSE(app, argc, argv);
        tell_on_abort();
        if (is_list) return list(), 0;
        return options.sequence.empty() ? run_all(options) : run_one(options);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "sotto-dead-states: %s\n", error.what());
        return 2;
    }
}
