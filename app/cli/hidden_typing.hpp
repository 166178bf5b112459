// SPDX-License-Identifier: Apache-2.0
// For what nobody may read over a shoulder.
#pragma once

#include <termios.h>
#include <unistd.h>

namespace sotto::app {

// As long as it lives, the terminal does not show what is typed; nothing where there is none.
class HiddenTyping {
  public:
    HiddenTyping() : works_(::tcgetattr(STDIN_FILENO, &before_) == 0) {
        termios hidden = before_;
        hidden.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        if (works_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    }
    HiddenTyping(const HiddenTyping&) = delete;
    HiddenTyping& operator=(const HiddenTyping&) = delete;
    ~HiddenTyping() {
        if (works_) ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    }

  private:
    termios before_{};
    bool works_;
};

}  // namespace sotto::app
