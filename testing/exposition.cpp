// SPDX-License-Identifier: Apache-2.0
#include "testing/exposition.hpp"

#include <cmath>
#include <regex>
#include <set>
#include <sstream>
#include <vector>

namespace sotto::testing {
namespace {

const std::regex kHelp{R"(# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) \S.*)"};
const std::regex kType{R"(# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram))"};
const std::regex kSample{
    R"re(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"(?:,[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*")*\})? (-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?|\+Inf|-Inf|NaN))re"};

class Parser {
  public:
    Exposition parse(const std::string& text) {
        if (text.empty() || text.back() != '\n') complain("the last line does not end");
        std::istringstream lines{text};
        for (std::string line; std::getline(lines, line);) read(line);
        finish_family();
        return std::move(result_);
    }

  private:
    void complain(const std::string& what) {
        if (result_.complaint.empty()) result_.complaint = what;
    }

    void read(const std::string& line) {
        std::smatch match;
        if (std::regex_match(line, match, kHelp)) return begin_family(match[1]);
        if (std::regex_match(line, match, kType)) return set_type(match[1], match[2]);
        if (!std::regex_match(line, match, kSample)) return complain("no sample: " + line);
        add_sample(match[1], match[2], std::stod(match[3]));
    }

    void begin_family(const std::string& name) {
        finish_family();
        if (!families_.insert(name).second) complain("twice: " + name);
        family_ = name;
        type_.clear();
    }

    void set_type(const std::string& name, const std::string& type) {
        if (name != family_ || !type_.empty()) complain("TYPE is not behind its HELP: " + name);
        type_ = type;
        const bool is_total = name.ends_with("_total");
        if (is_total != (type == "counter")) complain("_total is for counters: " + name);
    }

    void add_sample(const std::string& name, const std::string& labels, double value) {
        if (type_.empty()) complain("no TYPE before " + name);
        if (type_ == "histogram") {
            add_to_histogram(name, labels, value);
        } else if (name != family_) {
            complain("among those of " + family_ + ": " + name);
        }
        if (type_ == "counter" && value < 0) complain("a counter below 0: " + name);
        ++count_;
        if (!result_.samples.emplace(name + labels, value).second)
            complain("twice: " + name + labels);
    }

    void add_to_histogram(const std::string& name, const std::string& labels, double value) {
        if (name == family_ + "_bucket") {
            const std::string bound = labels.substr(5, labels.size() - 7);
            if (!labels.starts_with("{le=\"")) complain("a bucket without le: " + labels);
            const double le = std::stod(bound);
            if (!bounds_.empty() && !(le > bounds_.back())) complain("bounds do not rise");
            if (!buckets_.empty() && value < buckets_.back()) complain("buckets do not rise");
            bounds_.push_back(le);
            buckets_.push_back(value);
        } else if (name == family_ + "_count") {
            if (buckets_.empty() || value != buckets_.back()) complain("_count is not le=+Inf");
            ++totals_;
        } else if (name == family_ + "_sum") {
            ++totals_;
        } else {
            complain("no part of a histogram: " + name);
        }
    }

    void finish_family() {
        if (!family_.empty() && count_ == 0) complain("nothing of " + family_);
        if (type_ == "histogram") {
            if (bounds_.empty() || !std::isinf(bounds_.back())) complain("no le=+Inf");
            if (totals_ != 2) complain("_sum or _count is missing");
        }
        bounds_.clear();
        buckets_.clear();
        totals_ = 0;
        count_ = 0;
    }

    Exposition result_;
    std::set<std::string> families_;
    std::string family_;
    std::string type_;
    std::vector<double> bounds_;
    std::vector<double> buckets_;
    int totals_ = 0;
    int count_ = 0;
};

}  // namespace

Exposition parse_exposition(const std::string& text) { return Parser{}.parse(text); }

}  // namespace sotto::testing
