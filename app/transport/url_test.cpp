// SPDX-License-Identifier: Apache-2.0
#include "app/transport/url.hpp"

#include <gtest/gtest.h>

namespace sotto::app {
namespace {

using Parts = std::vector<std::string>;

TEST(CloudUrl, NamesSchemeHostAndPort) {
    const struct {
        const char* text;
        bool is_tls;
        const char* host;
        const char* port;
        const char* printed;
    } cases[] = {
        {"http://127.0.0.1:8080", false, "127.0.0.1", "8080", "http://127.0.0.1:8080"},
        {"http://localhost/", false, "localhost", "80", "http://localhost:80"},
        {"https://cloud.example.org",
         true,
         "cloud.example.org",
         "443",
         "https://cloud.example.org:443"},
        {"https://[fe80::1]:9000", true, "fe80::1", "9000", "https://[fe80::1]:9000"},
        {"https://[::1]", true, "::1", "443", "https://[::1]:443"},
    };
    for (const auto& item : cases) {
        const auto url = parse_cloud_url(item.text);
        ASSERT_TRUE(url) << item.text;
        EXPECT_EQ(url->is_tls, item.is_tls) << item.text;
        EXPECT_EQ(url->endpoint.host, item.host);
        EXPECT_EQ(url->endpoint.port, item.port);
        EXPECT_EQ(url->to_string(), item.printed);
    }
}

TEST(CloudUrl, RefusesEverythingElse) {
    for (const char* text : {"",
                             "cloud.example.org",
                             "ftp://cloud.example.org",
                             "http://",
                             "http://host:",
                             "http://host:0",
                             "http://host:65536",
                             "http://host:80x",
                             "http://host:123456789012345678901",
                             "http://host/path",
                             "http://user@host",
                             "http://a b",
                             "http://[::1",
                             "http://[::1]x",
                             "http://[::1]80",
                             "http://::1",
                             "https://host\r\nX: y"}) {
        const auto url = parse_cloud_url(text);
        ASSERT_FALSE(url) << text;
        EXPECT_EQ(url.error().trouble, Trouble::Usage);
        EXPECT_FALSE(url.error().next.empty());
    }
}

TEST(CoapUrl, IsSplitBeforeItIsDecoded) {
    const auto url = parse_coap_url("coap://[::1]:5700/v/a%2Fb/lamp%20one?k=1&l=%26");
    ASSERT_TRUE(url);
    EXPECT_EQ(url->endpoint.host, "::1");
    EXPECT_EQ(url->endpoint.port, "5700");
    EXPECT_EQ(url->path, (Parts{"v", "a/b", "lamp one"}));
    EXPECT_EQ(url->query, (Parts{"k=1", "l=&"}));
}

TEST(CoapUrl, PathQueryAndPortMayBeMissing) {
    for (const char* text : {"coap://device", "coap://device/", "coap://device:5683/"}) {
        const auto url = parse_coap_url(text);
        ASSERT_TRUE(url) << text;
        EXPECT_EQ(url->endpoint.to_string(), "device:5683");
        EXPECT_TRUE(url->path.empty());
        EXPECT_TRUE(url->query.empty());
    }
    const auto url = parse_coap_url("coap://device?x");
    ASSERT_TRUE(url);
    EXPECT_TRUE(url->path.empty());
    EXPECT_EQ(url->query, (Parts{"x"}));
}

TEST(CoapUrl, RefusesEverythingElse) {
    for (const char* text : {"coaps://device/",
                             "http://device/",
                             "coap:///v",
                             "coap://device/#a",
                             "coap://device/%4",
                             "coap://device/%zz",
                             "coap://device/?%",
                             "coap://device:x/"})
        EXPECT_FALSE(parse_coap_url(text)) << text;
}

TEST(Endpoint, KnowsLoopback) {
    for (const char* host : {"localhost", "127.0.0.1", "127.1.2.3", "::1"})
        EXPECT_TRUE((Endpoint{host, "1"}.is_loopback())) << host;
    for (const char* host : {"128.0.0.1", "127.example.org", "localhost.example.org", "fe80::1"})
        EXPECT_FALSE((Endpoint{host, "1"}.is_loopback())) << host;
}

}  // namespace
}  // namespace sotto::app
