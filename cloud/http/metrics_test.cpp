// SPDX-License-Identifier: Apache-2.0
#include "cloud/http/metrics.hpp"

#include <gtest/gtest.h>

#include "testing/exposition.hpp"

namespace sotto::cloud::http {
namespace {

using testing::parse_exposition;

TEST(Exposition, TheReaderIsStrict) {
    const std::string good = "# HELP a_total A.\n# TYPE a_total counter\na_total{x=\"1\"} 3\n";
    EXPECT_EQ(parse_exposition(good).complaint, "");
    for (const char* bad :
         {"",
          "a 1",
          "a 1\n",
          "# HELP a A.\na 1\n",
          "# HELP a A.\n# TYPE a gauge\n",
          "# HELP a A.\n# TYPE a counter\na 1\n",
          "# HELP a A.\n# TYPE a gauge\na 1\na 2\n",
          "# HELP a A.\n# TYPE a gauge\nb 1\n",
          "# HELP a A.\n# TYPE a gauge\na  1\n",
          "# HELP a A.\n# TYPE a gauge\na{x=1} 1\n",
          "# HELP a A.\n# TYPE a gauge\na{x=\"1\",} 1\n",
          "# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_sum 1\nh_count 1\n",
          "# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"1\"} 2\nh_bucket{le=\"+Inf\"} "
          "1\nh_sum 1\nh_count 1\n",
          "# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_count 1\n"})
        EXPECT_NE(parse_exposition(bad).complaint, "") << bad;
}

TEST(Metrics, AreInTheFormatAndSayWhatIs) {
    Numbers numbers{.version = "1.2.3", .started_at = Instant{} + seconds(1'700'000'000)};
    numbers.census = {.gateways = 1, .strangers = 2, .apps = 3, .links = 4, .attached = 5};
    numbers.counters.outcomes = {10, 11, 12, 13, 14, 15, 16};
    numbers.counters.stored = 7;
    numbers.event_streams = 19;
    numbers.legacy_devices = 17;
    numbers.webhooks = {
        .hooks = 20, .waiting = 21, .active = 22, .succeeded = 23, .failed = 24, .dropped = 25};
    numbers.legacy_strangers = 18;
    numbers.store_bytes = 123'456'789'012;
    numbers.store.count_commit(400);
    numbers.store.count_commit(1'000);
    numbers.store.count_commit(9'000'000);
    const auto page = parse_exposition(render_metrics(numbers));
    EXPECT_EQ(page.complaint, "");
    const auto value = [&](const std::string& name) {
        return page.samples.at("sotto_cloud_" + name);
    };
    EXPECT_EQ(value("info{version=\"1.2.3\"}"), 1);
    EXPECT_EQ(value("start_time_seconds"), 1'700'000'000);
    EXPECT_EQ(value("devices_attached"), 5);
    EXPECT_EQ(value("event_streams"), 19);
    EXPECT_EQ(value("legacy_devices"), 17);
    EXPECT_EQ(value("legacy_strangers"), 18);
    EXPECT_EQ(value("webhooks"), 20);
    EXPECT_EQ(value("webhooks_waiting"), 21);
    EXPECT_EQ(value("webhooks_active"), 22);
    EXPECT_EQ(value("webhook_tries_total{outcome=\"succeeded\"}"), 23);
    EXPECT_EQ(value("webhook_tries_total{outcome=\"failed\"}"), 24);
    EXPECT_EQ(value("webhooks_dropped_total"), 25);
    EXPECT_EQ(value("outcomes_total{outcome=\"handed_on\"}"), 10);
    EXPECT_EQ(value("outcomes_total{outcome=\"rate_limited\"}"), 14);
    EXPECT_EQ(value("mailbox_puts_total"), 7);
    EXPECT_EQ(value("store_bytes"), 123'456'789'012);
    EXPECT_EQ(value("store_commit_seconds_bucket{le=\"0.000500\"}"), 1);
    EXPECT_EQ(value("store_commit_seconds_bucket{le=\"0.001000\"}"), 2);
    EXPECT_EQ(value("store_commit_seconds_bucket{le=\"2.500000\"}"), 2);
    EXPECT_EQ(value("store_commit_seconds_bucket{le=\"+Inf\"}"), 3);
    EXPECT_DOUBLE_EQ(value("store_commit_seconds_sum"), 9.0014);
    EXPECT_FALSE(page.samples.contains("sotto_cloud_certificate_expires_seconds"));
    numbers.certificate_expires_s = 1'800'000'000;
    const auto with_tls = parse_exposition(render_metrics(numbers));
    EXPECT_EQ(with_tls.complaint, "");
    EXPECT_EQ(with_tls.samples.at("sotto_cloud_certificate_expires_seconds"), 1'800'000'000);
}

}  // namespace
}  // namespace sotto::cloud::http
