// SPDX-License-Identifier: Apache-2.0
#include "app/cli/printer.hpp"

#include <algorithm>
#include <ostream>

#include <nlohmann/json.hpp>

#include "core/base/hex.hpp"

namespace sotto::app {
namespace {

constexpr auto kReplace = nlohmann::json::error_handler_t::replace;  // what is no UTF-8

std::string sentence(const std::string& text) {
    return text.ends_with('.') || text.ends_with('?') ? text : text + ".";
}

}  // namespace

void Printer::result(const std::string& text, const nlohmann::json& value) {
    end_progress();
    streams_.out << (is_json_ ? value.dump(-1, ' ', false, kReplace) : shown(text)) << std::endl;
}

void Printer::raw_result(const std::string& bytes, const nlohmann::json& value) {
    if (is_json_ || is_terminal_) return result(bytes, value);
    end_progress();
    streams_.out << bytes << std::flush;
}

void Printer::progress(const std::string& text) {
    if (!shows_progress_) return;
    const std::size_t rest = progress_size_ > text.size() ? progress_size_ - text.size() : 0;
    streams_.err << '\r' << text << std::string(rest, ' ') << std::flush;
    progress_size_ = std::max(progress_size_, text.size());
}

void Printer::end_progress() {
    if (progress_size_ == 0) return;
    streams_.err << '\r' << std::string(progress_size_, ' ') << '\r' << std::flush;
    progress_size_ = 0;
}

void Printer::note(const std::string& text) {
    end_progress();
    if (!is_json_) streams_.err << shown(text) << std::endl;
}

ExitCode Printer::failure(const Failure& failure) {
    end_progress();
    const ExitCode code = exit_code_of(failure.trouble);
    if (is_json_) {
        const nlohmann::json value{{"error", name_of(code)},
                                   {"what", failure.what},
                                   {"next", failure.next},
                                   {"code", static_cast<int>(code)}};
        streams_.err << value.dump(-1, ' ', false, kReplace) << std::endl;
    } else {
        streams_.err << "sotto: " << shown(sentence(failure.what)) << "\n       "
                     << shown(sentence(failure.next)) << std::endl;
    }
    return code;
}

// C0, C1 (in UTF-8: 0xc2 and a byte from 0x80 to 0x9f) and DEL could steer a terminal.
std::string Printer::shown(const std::string& text) const {
    if (!is_terminal_) return text;
    std::string shown;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
        const bool is_c1 = byte == 0xc2 && next >= 0x80 && next < 0xa0;
        const bool is_c0 = (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f;
        shown +=
            is_c0 || is_c1 ? "\\x" + to_hex<std::string>(Bytes{&byte, 1}) : std::string(1, text[i]);
    }
    return shown;
}

}  // namespace sotto::app
