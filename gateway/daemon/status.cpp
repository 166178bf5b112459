// SPDX-License-Identifier: Apache-2.0
#include "gateway/daemon/status.hpp"

#include <algorithm>
#include <functional>
#include <sstream>

#include "ports/service/quote.hpp"

namespace sotto::gateway {

namespace {

using ports::quote;

constexpr std::int64_t kMinute = 60;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;

// Two of its units at most.
std::string duration(std::int64_t seconds) {
    const auto two =
        [&](std::int64_t large, const char* name, std::int64_t small, const char* rest) {
            return std::to_string(seconds / large) + name + " " +
                   std::to_string(seconds % large / small) + rest;
        };
    if (seconds >= kDay) return two(kDay, "d", kHour, "h");
    if (seconds >= kHour) return two(kHour, "h", kMinute, "min");
    if (seconds >= kMinute) return two(kMinute, "min", 1, "s");
    return std::to_string(seconds) + "s";
}

// With the quarters that intervals come in.
std::string milliseconds(std::uint32_t us) {
    std::string text = std::to_string(us / 1'000);
    if (us % 1'000 == 0) return text;
    std::string rest = std::to_string(1'000 + us % 1'000).substr(1);
    while (rest.back() == '0') rest.pop_back();
    return text + "." + rest;
}

const char* yes_or_no(bool is_so) { return is_so ? "true" : "false"; }

void write_link(std::ostream& out, const Report::Link& link) {
    out << "  " << link.device << "  " << (link.name.empty() ? "-" : link.name) << "  "
        << (link.is_up ? "connected for " + duration(link.seconds) : "connecting");
    if (!link.cloud.empty()) out << ", at " << link.cloud;
    if (link.service != "sotto") out << ", " << link.service;
    if (link.rssi) out << ", " << *link.rssi << " dBm";
    if (link.value_size) out << ", values of " << *link.value_size;
    if (link.interval) out << ", every " << milliseconds(link.interval->us) << " ms";
    if (link.interval && link.interval->latency > 0)
        out << " or " << link.interval->latency + 1 << " times that";
    if (!link.interval_trouble.empty()) out << ", interval not set: " << link.interval_trouble;
    out << ", " << link.bytes_in << " bytes in, " << link.bytes_out << " out\n";
}

// Each as JSON, in brackets.
template <class Item>
std::string array(const std::vector<Item>& items,
                  const std::function<std::string(const Item&)>& as_object) {
    std::string text = "[";
    for (const Item& item : items) {
        if (text.size() > 1) text += ",";
        text += as_object(item);
    }
    return text + "]";
}

std::string object(const Report::Cloud& cloud) {
    return "{\"address\":" + quote(cloud.address) +
           ",\"connected\":" + yes_or_no(cloud.is_connected) +
           ",\"last_error\":" + quote(cloud.last_error) +
           ",\"tags\":" + std::to_string(cloud.tags) + "}";
}

std::string object(const Report::Adapter& adapter) {
    std::string text =
        "{\"name\":" + quote(adapter.name) + ",\"scanning\":" + yes_or_no(adapter.is_scanning);
    if (!adapter.trouble.empty()) text += ",\"trouble\":" + quote(adapter.trouble);
    return text + "}";
}

std::string object(const Report::Link& link) {
    std::string text = "{\"device\":" + quote(link.device) + ",\"name\":" + quote(link.name) +
                       ",\"place\":" + quote(link.place) + ",\"service\":" + quote(link.service) +
                       ",\"connected\":" + yes_or_no(link.is_up) +
                       ",\"cloud\":" + quote(link.cloud) +
                       ",\"seconds\":" + std::to_string(link.seconds);
    if (link.rssi) text += ",\"rssi\":" + std::to_string(*link.rssi);
    if (link.value_size) text += ",\"value_size\":" + std::to_string(*link.value_size);
    if (link.interval)
        text += ",\"interval_ms\":" + milliseconds(link.interval->us) +
                ",\"latency\":" + std::to_string(link.interval->latency);
    if (!link.interval_trouble.empty())
        text += ",\"interval_trouble\":" + quote(link.interval_trouble);
    return text + ",\"bytes_in\":" + std::to_string(link.bytes_in) +
           ",\"bytes_out\":" + std::to_string(link.bytes_out) + "}";
}

std::string object(const Report::Trouble& trouble) {
    return "{\"place\":" + quote(trouble.place) + ",\"why\":" + quote(trouble.why) +
           ",\"seconds_ago\":" + std::to_string(trouble.seconds_ago) +
           ",\"count\":" + std::to_string(trouble.count) + "}";
}

class Metrics {
  public:
    void family(const char* name, const char* type, const char* help) {
        name_ = name;
        out_ << "# HELP sotto_gateway_" << name << " " << help << "\n# TYPE sotto_gateway_" << name
             << " " << type << "\n";
    }
    // `label` is NAME="VALUE", or nothing.
    void sample(const std::string& label, std::int64_t value) {
        out_ << "sotto_gateway_" << name_ << (label.empty() ? "" : "{" + label + "}") << " "
             << value << "\n";
    }
    std::string text() const { return out_.str(); }

  private:
    std::string name_;
    std::ostringstream out_;
};

std::string label(const char* name, const std::string& value) {
    return std::string{name} + "=" + quote(value);
}

// Places are unique; ids are what devices say.
std::string label_of(const Report::Link& link) {
    return label("device", link.device) + "," + label("place", link.place);
}

void add_links(Metrics& metrics, const std::vector<Report::Link>& links) {
    const auto all =
        [&](const std::function<std::optional<std::int64_t>(const Report::Link&)>& of) {
            for (const Report::Link& link : links) {
                if (const auto value = of(link)) metrics.sample(label_of(link), *value);
            }
        };
    metrics.family("link_up", "gauge", "1 if a device is connected");
    all([](const auto& link) { return link.is_up ? 1 : 0; });
    metrics.family("link_rssi_dbm", "gauge", "how strongly a device is heard");
    all([](const auto& link) { return link.rssi; });
    metrics.family("link_value_size", "gauge", "bytes of the largest value");
    all([](const auto& link) { return link.value_size; });
    metrics.family("link_interval_us", "gauge", "microseconds between turns of the radio");
    all([](const auto& link) -> std::optional<std::int64_t> {
        if (!link.interval) return std::nullopt;
        return link.interval->us;
    });
    metrics.family("link_bytes_in_total", "counter", "bytes from a device, since it came");
    all([](const auto& link) { return static_cast<std::int64_t>(link.bytes_in); });
    metrics.family("link_bytes_out_total", "counter", "bytes to a device, since it came");
    all([](const auto& link) { return static_cast<std::int64_t>(link.bytes_out); });
}

}  // namespace

std::string to_words(const Report& report) {
    std::ostringstream out;
    out << "running for " << duration(report.seconds) << "\n\nclouds\n";
    for (const Report::Cloud& cloud : report.clouds) {
        out << "  " << cloud.address << "  "
            << (cloud.is_connected ? "connected" : "not connected");
        if (!cloud.last_error.empty()) out << ": " << cloud.last_error;
        if (cloud.tags > 0) out << ", has given " << cloud.tags << " tags of devices";
        out << "\n";
    }
    if (!report.outage.empty()) out << "\nno Bluetooth: " << report.outage << "\n";
    if (!report.adapters.empty()) out << "\nadapters\n";
    for (const Report::Adapter& adapter : report.adapters) {
        out << "  " << adapter.name << "  "
            << (adapter.is_scanning ? "scanning" : "not there, or off");
        if (!adapter.trouble.empty()) out << ": " << adapter.trouble;
        out << "\n";
    }
    out << "\ndevices" << (report.links.empty() ? ": none\n" : "\n");
    for (const Report::Link& link : report.links) write_link(out, link);
    if (!report.troubles.empty()) out << "\nlatest ends of links\n";
    for (const Report::Trouble& trouble : report.troubles)
        out << "  " << trouble.place << "  " << trouble.why << ", " << duration(trouble.seconds_ago)
            << " ago, " << trouble.count << " in all\n";
    return out.str();
}

std::string to_json(const Report& report) {
    const auto each = [](const auto& item) { return object(item); };
    return "{\"seconds\":" + std::to_string(report.seconds) +
           ",\"clouds\":" + array<Report::Cloud>(report.clouds, each) +
           ",\"outage\":" + quote(report.outage) +
           ",\"adapters\":" + array<Report::Adapter>(report.adapters, each) +
           ",\"links\":" + array<Report::Link>(report.links, each) +
           ",\"troubles\":" + array<Report::Trouble>(report.troubles, each) + "}\n";
}

std::string to_metrics(const Report& report) {
    Metrics metrics;
    metrics.family("uptime_seconds", "gauge", "that it runs");
    metrics.sample("", report.seconds);
    metrics.family("cloud_connected", "gauge", "1 if a cloud is connected");
    for (const Report::Cloud& cloud : report.clouds)
        metrics.sample(label("cloud", cloud.address), cloud.is_connected ? 1 : 0);
    metrics.family("tags", "gauge", "tags of devices that a cloud has given");
    for (const Report::Cloud& cloud : report.clouds)
        metrics.sample(label("cloud", cloud.address), static_cast<std::int64_t>(cloud.tags));
    metrics.family("adapter_scanning", "gauge", "1 if an adapter looks for devices");
    for (const Report::Adapter& adapter : report.adapters)
        metrics.sample(label("adapter", adapter.name), adapter.is_scanning ? 1 : 0);
    metrics.family("links", "gauge", "devices that are connected");
    metrics.sample("",
                   std::count_if(report.links.begin(), report.links.end(), [](const auto& link) {
                       return link.is_up;
                   }));
    add_links(metrics, report.links);
    return metrics.text();
}

}  // namespace sotto::gateway
