// SPDX-License-Identifier: Apache-2.0
#include "cloud/hooks/mustache.hpp"

#include <algorithm>
#include <charconv>
#include <vector>

#include <nlohmann/json.hpp>

#include "cloud/hooks/limits.hpp"

namespace sotto::cloud::hooks {

using nlohmann::json;

namespace {

enum class Kind : std::uint8_t { Text, Escaped, Plain, Section, Inverted };

// In the order of the template; the inside of a section is what follows it, up to `end`.
struct Node {
    Kind kind = Kind::Text;
    std::string_view text{};  // or the name
    std::size_t end = 0;
};
using Nodes = std::vector<Node>;

std::string_view trim(std::string_view text) {
    while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
    while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
    return text;
}

std::string quoted(char sign, std::string_view name) {
    return std::string{"{{"} + sign + std::string{name.substr(0, 64)} + "}}";
}

class Parser {
  public:
    explicit Parser(std::string_view text) : rest_(text) {}

    Result<Nodes, Complaint> parse() {
        while (!rest_.empty()) {
            const std::size_t size = std::min(rest_.find("{{"), rest_.size());
            if (size > 0) nodes_.push_back({.kind = Kind::Text, .text = rest_.substr(0, size)});
            rest_.remove_prefix(size);
            if (rest_.empty()) break;
            SOTTO_TRY(take_tag());
        }
        if (open_.empty()) return std::move(nodes_);
        return Complaint{quoted('#', nodes_[open_.back()].text) + " is not closed"};
    }

  private:
    // Precondition: a tag begins here.
    Result<void, Complaint> take_tag() {
        const bool is_triple = rest_.starts_with("{{{");
        const std::string_view closing = is_triple ? "}}}" : "}}";
        const std::size_t begin = is_triple ? 3 : 2;
        const std::size_t end = rest_.find(closing, begin);
        if (end == std::string_view::npos) return Complaint{"a tag that begins with {{ has no end"};
        std::string_view name = rest_.substr(begin, end - begin);
        rest_.remove_prefix(end + closing.size());
        if (is_triple) return add(Kind::Plain, name);
        const char sign = name.empty() ? '\0' : name.front();
        if (std::string_view{"#^/!&>="}.find(sign) == std::string_view::npos)
            return add(Kind::Escaped, name);
        name.remove_prefix(1);
        switch (sign) {
            case '#':
                return open(Kind::Section, name);
            case '^':
                return open(Kind::Inverted, name);
            case '/':
                return close(trim(name));
            case '&':
                return add(Kind::Plain, name);
            case '!':
                return {};
            default:
                return Complaint{"partials {{>x}} and other delimiters {{=x=}} are not known here"};
        }
    }

    Result<void, Complaint> add(Kind kind, std::string_view name) {
        if (trim(name).empty()) return Complaint{"a tag {{}} names nothing"};
        nodes_.push_back({.kind = kind, .text = trim(name)});
        return {};
    }

    Result<void, Complaint> open(Kind kind, std::string_view name) {
        if (open_.size() == kSectionDepthMax) return Complaint{"sections stand in one another"};
        SOTTO_TRY(add(kind, name));
        open_.push_back(nodes_.size() - 1);
        return {};
    }

    Result<void, Complaint> close(std::string_view name) {
        if (open_.empty() || nodes_[open_.back()].text != name)
            return Complaint{quoted('/', name) + " closes nothing that is open there"};
        nodes_[open_.back()].end = nodes_.size();
        open_.pop_back();
        return {};
    }

    std::string_view rest_;
    Nodes nodes_;
    std::vector<std::size_t> open_;
};

// Nothing where it is neither a member nor an element.
const json* member_of(const json& value, std::string_view name) {
    if (value.is_object()) {
        const auto found = value.find(name);
        return found == value.end() ? nullptr : &*found;
    }
    if (!value.is_array()) return nullptr;
    std::size_t place = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), place);
    if (error != std::errc{} || end != name.data() + name.size()) return nullptr;
    return place < value.size() ? &value[place] : nullptr;
}

bool is_truth(const json* value) {
    if (value == nullptr || value->is_null()) return false;
    if (value->is_boolean()) return value->get<bool>();
    if (value->is_number()) return value->get<double>() != 0;
    if (value->is_string()) return !value->get_ref<const std::string&>().empty();
    return value->is_object() || !value->empty();
}

std::string text_of(const json& value) {
    if (value.is_null()) return {};
    if (value.is_string()) return value.get_ref<const std::string&>();
    return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string_view escape_of(char c) {
    switch (c) {
        case '&':
            return "&amp;";
        case '<':
            return "&lt;";
        case '>':
            return "&gt;";
        case '"':
            return "&quot;";
        case '\'':
            return "&#39;";
        default:
            return {};
    }
}

class Renderer {
  public:
    Renderer(const Nodes& nodes, const json& data, std::size_t size_max)
        : nodes_(nodes), stack_{&data}, size_max_(size_max) {}

    Result<std::string, Complaint> render() {
        go(0, nodes_.size());
        if (is_too_much_) return Complaint{"what comes out of a template is too large"};
        return std::move(out_);
    }

  private:
    void go(std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end && !is_too_much_; ++i) {
            const Node& node = nodes_[i];
            count_step();
            if (node.kind == Kind::Text) {
                put(node.text);
            } else if (node.kind == Kind::Plain || node.kind == Kind::Escaped) {
                put_value(node);
            } else {
                go_into(i, node);
                i = node.end - 1;
            }
        }
    }

    void go_into(std::size_t place, const Node& node) {
        const json* const value = find(node.text);
        const bool is_wanted = is_truth(value) == (node.kind == Kind::Section);
        if (!is_wanted) return;
        if (node.kind == Kind::Inverted) return go(place + 1, node.end);
        if (!value->is_array()) return go_with(*value, place + 1, node.end);
        for (const json& element : *value) {
            if (is_too_much_) return;
            count_step();
            go_with(element, place + 1, node.end);
        }
    }

    void go_with(const json& value, std::size_t begin, std::size_t end) {
        stack_.push_back(&value);
        go(begin, end);
        stack_.pop_back();
    }

    void put_value(const Node& node) {
        const json* const value = find(node.text);
        if (value == nullptr) return;
        const std::string text = text_of(*value);
        if (node.kind == Kind::Plain) return put(text);
        for (const char& c : text) {
            const std::string_view escape = escape_of(c);
            put(escape.empty() ? std::string_view{&c, 1} : escape);
        }
    }

    // The first part of a name is looked for from the innermost section outwards.
    const json* find(std::string_view name) const {
        if (name == ".") return stack_.back();
        const std::string_view first = name.substr(0, name.find('.'));
        const json* value = nullptr;
        for (auto i = stack_.rbegin(); i != stack_.rend() && value == nullptr; ++i)
            value = member_of(**i, first);
        name.remove_prefix(first.size());
        while (value != nullptr && !name.empty()) {
            name.remove_prefix(1);
            const std::string_view part = name.substr(0, name.find('.'));
            value = member_of(*value, part);
            name.remove_prefix(part.size());
        }
        return value;
    }

    void put(std::string_view text) {
        if (text.size() > size_max_ - out_.size()) {
            is_too_much_ = true;
            return;
        }
        out_ += text;
    }
    void count_step() {
        if (++steps_ > kRenderStepsMax) is_too_much_ = true;
    }

    const Nodes& nodes_;
    std::vector<const json*> stack_;
    std::size_t size_max_;
    std::string out_;
    std::size_t steps_ = 0;
    bool is_too_much_ = false;
};

// Members and elements of a value of JSON, where there are any.
template <class Function>
Result<void, Complaint> for_each_part(const json& value, const Function& function) {
    if (value.is_object()) {
        for (const auto& [key, part] : value.items()) SOTTO_TRY(function(key, part));
    } else if (value.is_array()) {
        for (const json& part : value) SOTTO_TRY(function(std::string{}, part));
    }
    return {};
}

}  // namespace

Result<void, Complaint> check_template(std::string_view text) {
    const auto nodes = Parser{text}.parse();
    if (!nodes) return nodes.error();
    return {};
}

Result<std::string, Complaint> render(std::string_view text,
                                      const json& data,
                                      std::size_t size_max) {
    SOTTO_TRY_ASSIGN(const Nodes nodes, Parser{text}.parse());
    return Renderer{nodes, data, size_max}.render();
}

Result<void, Complaint> check_json(const json& value) {
    if (value.is_string()) return check_template(value.get_ref<const std::string&>());
    return for_each_part(value,
                         [](const std::string& key, const json& part) -> Result<void, Complaint> {
                             SOTTO_TRY(check_template(key));
                             return check_json(part);
                         });
}

namespace {

Result<std::string, Complaint> render_some(std::string_view text,
                                           const json& data,
                                           std::size_t& size_left) {
    auto made = render(text, data, size_left);
    if (made) size_left -= made->size();
    return made;
}

Result<json, Complaint> render_some(const json& value, const json& data, std::size_t& size_left) {
    if (value.is_string()) {
        const std::string_view text = value.get_ref<const std::string&>();
        SOTTO_TRY_ASSIGN(std::string made, render_some(text, data, size_left));
        return json(std::move(made));
    }
    if (!value.is_structured()) return json(value);
    json made = value.is_object() ? json::object() : json::array();
    const auto put = [&](const std::string& key, const json& part) -> Result<void, Complaint> {
        SOTTO_TRY_ASSIGN(json rendered, render_some(part, data, size_left));
        if (made.is_array()) {
            made.push_back(std::move(rendered));
            return {};
        }
        SOTTO_TRY_ASSIGN(const std::string name,
                         render_some(std::string_view{key}, data, size_left));
        made[name] = std::move(rendered);
        return {};
    };
    SOTTO_TRY(for_each_part(value, put));
    return made;
}

}  // namespace

Result<json, Complaint> render_json(const json& value, const json& data, std::size_t size_max) {
    return render_some(value, data, size_max);
}

json parse_data(std::string_view text) {
    bool is_too_deep = false;
    const auto look = [&is_too_deep](int depth, json::parse_event_t, const json&) {
        is_too_deep = is_too_deep || depth > static_cast<int>(kJsonDepthMax);
        return !is_too_deep;
    };
    json value = json::parse(text, look, false);
    return is_too_deep || value.is_discarded() ? json() : value;
}

}  // namespace sotto::cloud::hooks
