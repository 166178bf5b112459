// SPDX-License-Identifier: Apache-2.0
// What the Linux device is: a lamp with a note on it, and whatever its command line adds.
// Allocates.
#pragma once

#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "core/session/limits.hpp"
#include "device/sdk/catalog.hpp"
#include "device/sketch/lamp.hpp"

namespace sotto::device {

struct SketchOptions {
    std::vector<std::string> functions;  // "name" answers its argument, "name=result" the result
    std::vector<std::string> variables;  // "name=value"
    std::vector<std::string> events;     // "name=payload", published after every extra function
};

class Sketch final : Lamp::World {
  public:
    struct World {
        // Tells everybody that an event happened.
        std::function<void(std::string_view event, std::string_view payload)> publish;
        // A function is about to run.
        std::function<void(std::string_view function, std::string_view argument)> on_call;
    };

    Sketch(Catalog& catalog, World world) : catalog_(catalog), world_(std::move(world)) {}

    // Declares lamp, note and the extras. The text at fault, if the catalog refuses one.
    Result<void, std::string> declare(const SketchOptions& options);

    // The lamp's own button: it switches.
    void on_button() { lamp_.toggle(); }

    bool is_lamp_on() const { return lamp_.is_on(); }

  private:
    // Keeps a long text, and answers with its digest.
    struct Note {
        Sketch& sketch;
        Result<Value> operator()(std::string_view argument);
    };
    struct Extra {
        Sketch& sketch;
        std::string name;
        std::string value;   // what is answered; empty: the argument
        std::string answer;  // keeps the answer where the caller finds it
        Result<Value> operator()(std::string_view argument);
    };
    struct Variable {
        std::string name;
        std::string value;
        std::string_view view;  // what the catalog reads
    };
    struct Event {
        std::string name;
        std::string payload;
    };

    void on_call(std::string_view argument) override { world_.on_call(Lamp::kName, argument); }
    void on_switched(std::string_view state) override { world_.publish(Lamp::kName, state); }
    Status declare_note();
    Status declare_function(const std::string& text);
    Status declare_variable(const std::string& text);
    Status declare_event(const std::string& text);

    Catalog& catalog_;
    World world_;
    Lamp lamp_{*this};
    Note write_note_{*this};
    std::vector<std::uint8_t> note_room_ = std::vector<std::uint8_t>(session::kBodySizeMax);
    std::string note_;
    std::string_view note_text_;  // what the catalog reads
    std::string note_digest_;
    std::deque<Extra> functions_;  // never moved: the catalog refers to them
    std::deque<Variable> variables_;
    std::deque<Event> events_;
};

}  // namespace sotto::device
