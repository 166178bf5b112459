// SPDX-License-Identifier: Apache-2.0
#include "cloud/http/metrics.hpp"

#include <array>

namespace sotto::cloud::http {
namespace {

// By the numbers of framing::channel::OutcomeCode.
constexpr std::array<const char*, services::kOutcomeCount> kOutcomes = {"handed_on",
                                                                        "stored",
                                                                        "not_connected",
                                                                        "not_permitted",
                                                                        "rate_limited",
                                                                        "mailbox_full",
                                                                        "too_large"};

// `us` microseconds in seconds, exactly.
std::string seconds_of(std::uint64_t us) {
    const std::string fraction = std::to_string(1'000'000 + us % 1'000'000).substr(1);
    return std::to_string(us / 1'000'000) + "." + fraction;
}

class Page {
  public:
    void begin(const char* name, const char* type, const char* help) {
        name_ = std::string{"sotto_cloud_"} + name;
        text_ += "# HELP " + name_ + " " + help + "\n# TYPE " + name_ + " " + type + "\n";
    }
    void sample(const std::string& value, const std::string& labels = {}, const char* end = "") {
        text_ += name_ + end + (labels.empty() ? "" : "{" + labels + "}") + " " + value + "\n";
    }
    void gauge(const char* name, const char* help, std::uint64_t value) {
        begin(name, "gauge", help);
        sample(std::to_string(value));
    }
    void counter(const char* name, const char* help, std::uint64_t value) {
        begin(name, "counter", help);
        sample(std::to_string(value));
    }
    void counter(const char* name, const char* help) { begin(name, "counter", help); }
    void labelled(const char* label, const char* value, std::uint64_t count) {
        sample(std::to_string(count), std::string{label} + "=\"" + value + "\"");
    }
    std::string take() { return std::move(text_); }

  private:
    std::string name_;
    std::string text_;
};

void write_process(Page& page, const Numbers& numbers) {
    page.begin("info", "gauge", "What runs; always 1.");
    page.labelled("version", numbers.version.c_str(), 1);
    page.begin("start_time_seconds", "gauge", "When it was started, since 1970.");
    page.sample(std::to_string((numbers.started_at - Instant{}).ms / 1'000));
    if (numbers.certificate_expires_s == 0) return;
    page.begin(
        "certificate_expires_seconds", "gauge", "When the certificate of TLS expires, since 1970.");
    page.sample(std::to_string(numbers.certificate_expires_s));
}

void write_census(Page& page, const Numbers& numbers) {
    const services::Census& census = numbers.census;
    page.gauge("gateways", "Gateways that are signed in.", census.gateways);
    page.gauge(
        "gateway_strangers", "Connections of gateways that are not signed in.", census.strangers);
    page.gauge("gateways_by_tag",
               "Gateways that are given the tags of their account's devices.",
               numbers.tag_gateways);
    page.gauge("apps", "Apps with a channel.", census.apps);
    page.gauge(
        "http_connections", "HTTP connections that are no channels.", numbers.http_connections);
    page.gauge("event_streams", "Streams of events that are open.", numbers.event_streams);
    page.gauge("links", "Devices that gateways report, attached or not.", census.links);
    page.gauge("devices_attached", "Devices that proved what they are.", census.attached);
    page.gauge(
        "legacy_devices", "Legacy Particle devices that are connected.", numbers.legacy_devices);
    page.gauge("legacy_strangers",
               "Connections at their port that have not come through the handshake.",
               numbers.legacy_strangers);
    const hooks::Totals& webhooks = numbers.webhooks;
    page.gauge("webhooks", "Webhooks that users have.", webhooks.hooks);
    page.gauge("webhooks_active", "Requests of webhooks under way.", webhooks.active);
    page.gauge("webhooks_waiting",
               "Requests of webhooks that wait for their turn or their retry.",
               webhooks.waiting);
    page.counter("webhook_tries_total", "Tries of webhooks that have ended.");
    page.labelled("outcome", "succeeded", webhooks.succeeded);
    page.labelled("outcome", "failed", webhooks.failed);
    page.counter("webhooks_dropped_total", "Events that a webhook never got.", webhooks.dropped);
}

void write_traffic(Page& page, const services::Counters& counters) {
    page.counter("gateways_welcomed_total", "Gateways that signed in.", counters.gateways_welcomed);
    page.counter(
        "gateways_refused_total", "Gateways that were refused.", counters.gateways_refused);
    page.counter("apps_connected_total", "Channels that apps opened.", counters.apps_connected);
    page.counter("attach_total", "Devices that tried to prove what they are, by result.");
    page.labelled("result", "attached", counters.attached);
    page.labelled("result", "failed", counters.attach_failed);
    page.counter("messages_relayed_total", "Sealed messages that were passed on, by recipient.");
    page.labelled("to", "device", counters.relayed_to_device);
    page.labelled("to", "app", counters.relayed_to_app);
    page.counter("messages_dropped_total",
                 "Messages of devices that went nowhere: unknown label, not permitted, too often, "
                 "mailbox full.",
                 counters.dropped_from_device);
    page.counter("outcomes_total", "What became of what apps sent, by outcome.");
    for (std::size_t i = 0; i < kOutcomes.size(); ++i)
        page.labelled("outcome", kOutcomes[i], counters.outcomes[i]);
    page.counter("mailbox_puts_total", "Messages that were put into a mailbox.", counters.stored);
    page.counter("mailbox_gets_total", "Messages that were sent out of a mailbox, by recipient.");
    page.labelled("to", "device", counters.letters_to_device);
    page.labelled("to", "app", counters.letters_to_app);
}

void write_store(Page& page, const Numbers& numbers) {
    const store::Statistics& store = numbers.store;
    page.gauge("store_bytes", "Size of the database, its log included.", numbers.store_bytes);
    page.gauge("store_queue", "Operations that wait for the database.", store.queue);
    page.counter("store_operations_total", "Operations of the database.", store.operations);
    page.counter(
        "store_failures_total", "Transactions that failed and were undone.", store.failures);
    page.begin("store_commit_seconds",
               "histogram",
               "How long a transaction that writes took, to the disk.");
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < store.commits.size(); ++i) {
        count += store.commits[i];
        const bool is_last = i == store::kCommitTimes_us.size();
        const std::string bound = is_last ? "+Inf" : seconds_of(store::kCommitTimes_us[i]);
        page.sample(std::to_string(count), "le=\"" + bound + "\"", "_bucket");
    }
    page.sample(seconds_of(store.commit_time_us), {}, "_sum");
    page.sample(std::to_string(count), {}, "_count");
}

}  // namespace

const char* name_of(framing::channel::OutcomeCode outcome) {
    return kOutcomes.at(static_cast<std::size_t>(outcome));
}

std::string render_metrics(const Numbers& numbers) {
    Page page;
    write_process(page, numbers);
    write_census(page, numbers);
    write_traffic(page, numbers.counters);
    write_store(page, numbers);
    return page.take();
}

}  // namespace sotto::cloud::http
