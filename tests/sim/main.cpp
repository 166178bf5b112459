// SPDX-License-Identifier: Apache-2.0
// sotto-sim: many runs of the simulation, each from a seed.
#include <cstdio>
#include <exception>

#include <CLI/CLI.hpp>

#include "tests/sim/fleet.hpp"

namespace {

bool run(std::uint64_t seed, sotto::Duration duration) {
    const sotto::sim::Report report = sotto::sim::run_fleet(seed, duration);
    std::printf(
        "seed %llu: %zu done (%zu deferred), %zu not run, %zu unknown, %zu events, %llu relayed, "
        "%zu complaints\n",
        static_cast<unsigned long long>(seed),
        report.done,
        report.deferred,
        report.not_run,
        report.unknown,
        report.events,
        static_cast<unsigned long long>(report.relayed),
        report.complaints.size());
    for (const std::string& complaint : report.complaints) std::printf("  %s\n", complaint.c_str());
    if (!report.complaints.empty())
        std::printf("  again with: ./dev sim --seeds 1 --first %llu --minutes %lld\n",
                    static_cast<unsigned long long>(seed),
                    static_cast<long long>(duration.ms / 60'000));
    std::fflush(stdout);
    return report.complaints.empty();
}

}  // namespace

int main(int argc, char** argv) {
    try {
        CLI::App app{"Simulates devices, a gateway, a cloud and apps with faults."};
        std::uint64_t seeds = 100;
        std::uint64_t first = 1;
        std::int64_t duration = 10;
        app.add_option("--seeds", seeds, "how many runs");
        app.add_option("--first", first, "the seed of the first");
        app.add_option("--minutes", duration, "of virtual time with faults, in each");
        CLI11_PARSE(app, argc, argv);
        std::uint64_t failed = 0;
        for (std::uint64_t seed = first; seed < first + seeds; ++seed)
            failed += run(seed, sotto::minutes(duration)) ? 0 : 1;
        std::printf("%llu of %llu runs kept every rule\n",
                    static_cast<unsigned long long>(seeds - failed),
                    static_cast<unsigned long long>(seeds));
        return failed == 0 ? 0 : 1;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "sotto-sim: %s\n", error.what());
        return 1;
    }
}
