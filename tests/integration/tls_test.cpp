// SPDX-License-Identifier: Apache-2.0
// The whole line over TLS, with a cloud that is its own authority and whose ports are open to the
// network, and clear text where it must not be. 0.0.0.0 is this machine, and not loopback.
#include <algorithm>
#include <csignal>

#include <gtest/gtest.h>

#include "ports/tls/certificate.hpp"
#include "tests/integration/line.hpp"

namespace sotto::integration {
namespace {

using testing::eventually;
using testing::has;
using testing::read_text;

const std::string kCloud = SOTTO_BINARY_DIR "/bin/sotto-cloud";

bool has(const Recording& bytes, const std::string& part) {
    return std::search(bytes.begin(), bytes.end(), part.begin(), part.end()) != bytes.end();
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string port_of(const std::string& address) { return address.substr(address.rfind(':')); }

class TlsTest : public ::testing::Test {
  protected:
    std::string state() const { return line_.folder() / "cloud"; }
    std::string token(const std::string& name) const {
        return first_line(read_text(state() + "/" + name + ".token"));
    }
    std::string own_fingerprint() const {
        return to_string(
            ports::read_certificate(read_text(state() + "/tls/server.pem"))->fingerprint);
    }
    testing::Run login(const Arguments& more) const {
        Arguments arguments{"login",
                            "https://" + line_.http_tap().address(),
                            "--token-file",
                            state() + "/owner.token"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return line_.app(arguments);
    }
    testing::Run login_with(const std::string& pin) const { return login({"--pin", pin}); }

    mutable Line line_{{}, Hops::Tls};
};

TEST_F(TlsTest, TheMainJobIsDoneAndNoTokenIsSeenOnTheWay) {
    ASSERT_TRUE(line_.pair()) << line_.logs();
    EXPECT_EQ(line_.app({"call", "lamp", "lamp", "on"}).code, 0) << line_.logs();
    EXPECT_EQ(line_.app({"get", "lamp", "lamp"}).output, "on\n");
    const std::string log = line_.folder() / "watch.log";
    const auto watch = line_.start_app({"watch", "lamp", "lamp", "--count", "1"}, log);
    ASSERT_TRUE(eventually([&] { return has(read_text(log), "watching"); })) << read_text(log);
    EXPECT_EQ(line_.app({"call", "lamp", "lamp", "off"}).code, 0);
    EXPECT_EQ(watch->wait(), 0) << read_text(log);
    for (Tap* tap : {&line_.http_tap(), &line_.uplink_tap()}) {
        const Recording bytes = tap->from_client();
        ASSERT_FALSE(bytes.empty());
        EXPECT_EQ(bytes[0], 22) << "the first record of TLS";
        EXPECT_FALSE(has(bytes, token("owner")) || has(bytes, token("gateway")));
        EXPECT_FALSE(has(bytes, "Authorization"));
    }
}

TEST_F(TlsTest, AnotherPinIsRefusedAndTheRightOneShown) {
    const std::string shown = fingerprint_of_cloud(state());
    const testing::Run wrong = login_with(std::string(64, 'a'));
    EXPECT_EQ(wrong.code, 3);
    EXPECT_TRUE(has(wrong.output, "another one than the pin says")) << wrong.output;
    EXPECT_TRUE(has(wrong.output, shown)) << wrong.output;
    EXPECT_TRUE(has(wrong.output, "sotto-cloud certificate")) << wrong.output;
    const testing::Run none = login({});
    EXPECT_EQ(none.code, 3);
    EXPECT_TRUE(has(none.output, "nobody whom this machine trusts")) << none.output;
    EXPECT_TRUE(has(none.output, shown)) << none.output;
    EXPECT_EQ(login_with(own_fingerprint()).code, 0) << "the cloud's own";
    EXPECT_EQ(login_with(shown).code, 0);
}

TEST_F(TlsTest, AGatewayLeavesAStrangerAlone) {
    const std::string place = "localhost" + port_of(line_.uplink_tap().address());
    line_.serve_too(
        place, state() + "/gateway.token", {"--pin", place + "=" + std::string(64, 'b')});
    EXPECT_TRUE(eventually([&] {
        return has(line_.logs(), "cloud=" + place + " why=\"it is another one than the pin says");
    })) << line_.logs();
    EXPECT_TRUE(has(line_.logs(), fingerprint_of_cloud(state()))) << line_.logs();
}

TEST_F(TlsTest, ACertificateIsReplacedWhileTheLineWorks) {
    ASSERT_TRUE(line_.pair()) << line_.logs();
    const std::string before = own_fingerprint();
    const std::string log = line_.folder() / "watch.log";
    const auto watch = line_.start_app({"watch", "lamp", "lamp", "--count", "1"}, log);
    ASSERT_TRUE(eventually([&] { return has(read_text(log), "watching"); })) << read_text(log);
    EXPECT_EQ(
        testing::run(kCloud, {"certificate", "--state", state(), "--host", "new.example"}).code, 0);
    line_.signal_cloud(SIGHUP);
    EXPECT_TRUE(eventually([&] { return has(line_.logs(), "new.example"); })) << line_.logs();
    EXPECT_EQ(login_with(before).code, 3) << "it is not shown any more";
    EXPECT_EQ(login_with(own_fingerprint()).code, 0);
    EXPECT_EQ(login_with(fingerprint_of_cloud(state())).code, 0) << "the authority stays";
    EXPECT_EQ(line_.app({"call", "lamp", "lamp", "on"}).code, 0) << line_.logs();
    EXPECT_EQ(watch->wait(), 0) << "it was not disconnected: " << read_text(log);
}

TEST_F(TlsTest, WhoTakesClearTextForTlsOrTlsForClearTextIsTold) {
    const testing::Run clear = line_.app({"login",
                                          "http://" + line_.http_tap().address(),
                                          "--token-file",
                                          state() + "/owner.token"});
    EXPECT_EQ(clear.code, 3);
    EXPECT_TRUE(has(clear.output, "https://" + line_.http_tap().address())) << clear.output;
    const std::string place = "localhost" + port_of(line_.uplink_tap().address());
    line_.serve_too(place, state() + "/gateway.token");
    EXPECT_TRUE(eventually([&] { return has(line_.logs(), "it speaks TLS only"); }))
        << line_.logs();
}

TEST_F(TlsTest, ADeviceMovesToAnotherCloudOfItsOwnAuthority) {
    ASSERT_TRUE(line_.pair()) << line_.logs();
    const std::string other = line_.folder() / "other";
    const std::string ports = line_.folder() / "other.ports";
    ASSERT_EQ(testing::run(kCloud, {"init", "--state", other}).code, 0);
    const testing::Program cloud{kCloud,
                                 {"run",
                                  "--state",
                                  other,
                                  "--tls",
                                  "--http",
                                  "127.0.0.1:0",
                                  "--devices",
                                  "127.0.0.1:0",
                                  "--ports-file",
                                  ports},
                                 line_.folder() / "other.log"};
    ASSERT_TRUE(eventually([&] { return !read_text(ports).empty(); }));
    const std::string devices = value_of(ports, "devices");
    const std::string pin = fingerprint_of_cloud(other);
    line_.serve_too(devices, other + "/gateway.token", {"--pin", devices + "=" + pin});
    const auto works = [&] { return line_.app({"call", "lamp", "lamp", "on"}).code == 0; };
    ASSERT_TRUE(eventually(works)) << line_.logs();
    const testing::Run moved = line_.app({"move",
                                          "lamp",
                                          "--to",
                                          "https://" + value_of(ports, "http"),
                                          "--pin",
                                          pin,
                                          "--token-file",
                                          other + "/owner.token"});
    EXPECT_EQ(moved.code, 0) << moved.output << line_.logs();
    line_.kill_cloud();
    EXPECT_TRUE(works()) << "by the pin of the new cloud, which is kept with the device";
}

class ClearTest : public ::testing::Test {
  protected:
    Line line_;
};

TEST_F(ClearTest, NoTokenLeavesThisMachineInTheClearUnlessToldTo) {
    const std::string state = line_.folder() / "cloud";
    const std::string token = first_line(read_text(state + "/owner.token"));
    Arguments login{"login",
                    "http://0.0.0.0" + port_of(line_.http_tap().address()),
                    "--token-file",
                    state + "/owner.token"};
    const testing::Run refused = line_.app(login);
    EXPECT_EQ(refused.code, 1);
    EXPECT_TRUE(has(refused.output, "--insecure")) << refused.output;
    EXPECT_TRUE(line_.http_tap().from_client().empty());
    login.push_back("--insecure");
    const testing::Run allowed = line_.app(login);
    EXPECT_EQ(allowed.code, 0) << allowed.output;
    EXPECT_TRUE(has(line_.http_tap().from_client(), token));
}

TEST_F(ClearTest, ACloudThatIsAskedForTlsInVainGetsNothing) {
    const testing::Run run = line_.app({"login",
                                        "https://" + line_.http_tap().address(),
                                        "--pin",
                                        std::string(64, 'a'),
                                        "--token-file",
                                        line_.folder() / "cloud/owner.token"});
    EXPECT_EQ(run.code, 3);
    EXPECT_TRUE(has(run.output, "does not speak TLS")) << run.output;
}

TEST_F(ClearTest, AGatewaySpeaksTlsBeyondThisMachineUnlessToldNotTo) {
    const std::string place = "0.0.0.0" + port_of(line_.uplink_tap().address());
    const std::string file = line_.folder() / "cloud/gateway.token";
    line_.serve_too(place, file);
    EXPECT_TRUE(eventually([&] { return has(line_.logs(), "cloud-lost cloud=" + place); }))
        << line_.logs();
    EXPECT_FALSE(has(line_.logs(), "cloud-connected cloud=" + place));
    line_.serve_too(place, file, {"--insecure"});
    EXPECT_TRUE(eventually([&] { return has(line_.logs(), "cloud-connected cloud=" + place); }))
        << line_.logs();
}

}  // namespace
}  // namespace sotto::integration
