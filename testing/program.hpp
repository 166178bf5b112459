// SPDX-License-Identifier: Apache-2.0
// Starts our programs as a user would, and waits with deadlines. For integration tests.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace sotto::testing {

// A folder of its own for each test, removed afterwards. Short, for sockets lie in it.
class Folder {
  public:
    Folder();
    ~Folder();
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    std::string operator/(const std::string& name) const { return (path_ / name).string(); }

  private:
    std::filesystem::path path_;
};

// A running program with its output in a file. Killed, if need be, with the object.
class Program {
  public:
    // Standard output and standard error go to `log`, behind what is there.
    Program(const std::string& path,
            const std::vector<std::string>& arguments,
            const std::string& log);
    ~Program();
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    pid_t id() const { return pid_; }
    void signal(int number) const;
    // The exit code, or 128 and the number of the signal that ended it. Waits.
    int wait();
    int stop(int number) {
        signal(number);
        return wait();
    }

  private:
    pid_t pid_;
    bool is_running_ = true;
};

// The whole file, or nothing.
std::string read_text(const std::string& path);

// What somebody looks for in a log or an answer.
inline bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

// Asks again and again until it is true, for 20 s at most.
bool eventually(const std::function<bool()>& is_true);

struct Run {
    int code = 0;
    std::string output;  // and errors
};
// Runs a program to its end.
Run run(const std::string& path, const std::vector<std::string>& arguments);

}  // namespace sotto::testing
