// SPDX-License-Identifier: Apache-2.0
// Comparing two pieces of work on a machine that others use too: they take turns in short rounds,
// time is that of the thread, and the result is the median over the rounds.
#pragma once

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <sys/types.h>
#include <time.h>

namespace sotto::bench {

// Seconds that this thread has run.
inline double thread_seconds() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// Seconds that the threads of a process have run.
inline double cpu_seconds_of(pid_t process) {
    double nanoseconds = 0;
    const std::string folder = "/proc/" + std::to_string(process) + "/task";
    for (const auto& task : std::filesystem::directory_iterator{folder}) {
        double of_task = 0;
        std::ifstream{task.path() / "schedstat"} >> of_task;
        nanoseconds += of_task;
    }
    return nanoseconds * 1e-9;
}

// Seconds for one of `count` runs.
template <class Work>
double time_each(Work& work, int count) {
    const double start = thread_seconds();
    for (int i = 0; i < count; ++i) work();
    return (thread_seconds() - start) / count;
}

inline constexpr std::size_t kRounds = 101;

template <std::size_t N>
double median(std::array<double, N> values) {
    std::nth_element(values.begin(), values.begin() + N / 2, values.end());
    return values[N / 2];
}

struct Comparison {
    double ratio = 0;  // the median over the rounds of: seconds of work / seconds of reference
    double work_seconds = 0;
    double reference_seconds = 0;
};

template <class Work, class Reference>
Comparison compare(Work work, Reference reference, int count) {
    std::array<double, kRounds> works{};
    std::array<double, kRounds> references{};
    std::array<double, kRounds> ratios{};
    time_each(work, count);  // warm up
    time_each(reference, count);
    for (std::size_t round = 0; round < kRounds; ++round) {
        works[round] = time_each(work, count);
        references[round] = time_each(reference, count);
        ratios[round] = works[round] / references[round];
    }
    return {.ratio = median(ratios),
            .work_seconds = median(works),
            .reference_seconds = median(references)};
}

}  // namespace sotto::bench
