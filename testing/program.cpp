// SPDX-License-Identifier: Apache-2.0
#include "testing/program.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace sotto::testing {
namespace {

constexpr std::chrono::seconds kPatience{20};
constexpr std::chrono::milliseconds kPause{5};
constexpr int kCannotExecute = 127;

[[noreturn]] void become(const std::string& path, std::vector<char*>& arguments, int log) {
    ::dup2(log, STDOUT_FILENO);
    ::dup2(log, STDERR_FILENO);
    ::close_range(STDERR_FILENO + 1, ~0U, 0);  // sockets of a test end with the test's use of them
    ::execv(path.c_str(), arguments.data());
    ::_exit(kCannotExecute);
}

}  // namespace

Folder::Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "sotto_XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
}

Folder::~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

Program::Program(const std::string& path,
                 const std::vector<std::string>& arguments,
                 const std::string& log) {
    std::vector<std::string> copies{path};
    copies.insert(copies.end(), arguments.begin(), arguments.end());
    std::vector<char*> pointers;
    pointers.reserve(copies.size() + 1);
    for (std::string& copy : copies) pointers.push_back(copy.data());
    pointers.push_back(nullptr);
    const int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (output < 0) throw std::runtime_error("cannot write " + log);
    pid_ = ::fork();
    if (pid_ == 0) become(path, pointers, output);
    ::close(output);
    if (pid_ < 0) throw std::runtime_error("cannot start " + path);
}

Program::~Program() {
    if (is_running_) stop(SIGKILL);
}

void Program::signal(int number) const { ::kill(pid_, number); }

int Program::wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    is_running_ = false;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

std::string read_text(const std::string& path) {
    const std::ifstream file{path, std::ios::binary};
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

bool eventually(const std::function<bool()>& is_true) {
    const auto end = std::chrono::steady_clock::now() + kPatience;
    while (!is_true()) {
        if (std::chrono::steady_clock::now() > end) return false;
        std::this_thread::sleep_for(kPause);
    }
    return true;
}

Run run(const std::string& path, const std::vector<std::string>& arguments) {
    const Folder folder;
    const std::string log = folder / "log";
    Program program{path, arguments, log};
    const int code = program.wait();
    return {.code = code, .output = read_text(log)};
}

}  // namespace sotto::testing
