// SPDX-License-Identifier: Apache-2.0
// Products, their devices, groups and firmware, over REST.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "cloud/http/rest_world.hpp"

namespace sotto::cloud::http {
namespace {

class RestProductsTest : public RestWorld, public ::testing::Test {
  protected:
    RestProductsTest() {
        ann = token_of("ann");
        bob = token_of("bob");
        EXPECT_EQ(make("Ann's Lamps", 1'000).status, 201U);
    }
    Reply make(const std::string& name, int id) {
        return json_of(Method::Post,
                       "/v1/user/products",
                       ann,
                       {{"product", {{"name", name}, {"platform_id", 6}, {"id", id}}}});
    }
    Reply post(const std::string& path, const json& content) {
        return json_of(Method::Post, "/v1/products/1000" + path, ann, content);
    }
    Reply put(const std::string& path, const json& content) {
        return json_of(Method::Put, "/v1/products/1000" + path, ann, content);
    }
    Reply erase(const std::string& path, const json& content = json()) {
        return json_of(Method::Delete, "/v1/products/1000" + path, ann, content);
    }
    json read(const std::string& path) { return body(get("/v1/products/1000" + path, ann)); }
    std::string device(std::uint8_t number) { return "/devices/" + id_text(lamp_id(number)); }
    Reply send_file(Method method,
                    const std::string& path,
                    const std::string& content,
                    const std::vector<std::pair<std::string, std::string>>& fields) {
        std::string text;
        for (const auto& [name, value] : fields)
            text += "--x\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value +
                    "\r\n";
        text +=
            "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"firmware.bin\"\r\n"
            "\r\n" +
            content + "\r\n--x--\r\n";
        return reply({.method = method,
                      .target = "/v1/products/1000" + path,
                      .authorization = "Bearer " + ann,
                      .content_type = "multipart/form-data; boundary=x",
                      .body = text});
    }
    Reply upload(int version, const std::string& content) {
        return send_file(
            Method::Post, "/firmware", content, {{"version", std::to_string(version)}});
    }
    void import(std::uint8_t number) {
        EXPECT_EQ(post("/devices", {{"id", id_text(lamp_id(number))}}).status, 200U);
    }
    // One that nobody owns, and that says it is of this product.
    Lamp& come(std::uint8_t number, std::uint16_t product, std::uint16_t version = 1) {
        lamps.emplace_back();
        lamps.back().become(product, version);
        devices.on_connected(lamp_id(number), lamps.back());
        settle();
        return lamps.back();
    }

    std::string ann;
    std::string bob;
};

TEST_F(RestProductsTest, AProductIsMadeReadNamedAndEnded) {
    const json product = body(get("/v1/products/1000", ann))["product"];
    EXPECT_EQ(product["id"], 1'000);
    EXPECT_EQ(product["slug"], "ann-s-lamps");
    EXPECT_EQ(product["platform_id"], 6);
    EXPECT_EQ(product["user"], "ann");
    EXPECT_EQ(body(get("/v1/products/ann-s-lamps", ann))["product"], product);
    const Reply made =
        json_of(Method::Post, "/v1/user/products", ann, {{"name", "1234"}, {"platform_id", "103"}});
    EXPECT_EQ(made.status, 201U);
    EXPECT_EQ(body(made)["product"]["id"], 1'001) << "the lowest one that is free";
    EXPECT_EQ(body(made)["product"]["slug"], "product-1234");
    for (const char* path : {"/v1/products", "/v1/user/products"})
        EXPECT_EQ(body(get(path, ann))["products"].size(), 2U);
    EXPECT_EQ(body(get("/v1/products", bob))["products"], json::array());
    const Reply named = put("", {{"name", "Lights"}, {"slug", "lights"}});
    EXPECT_EQ(body(named)["product"]["name"], "Lights");
    EXPECT_EQ(get("/v1/products/lights", ann).status, 200U);
    EXPECT_EQ(erase("").status, 204U);
    EXPECT_EQ(get("/v1/products/1000", ann).status, 404U);
    EXPECT_EQ(body(get("/v1/orgs", ann))["organizations"], json::array());
}

TEST_F(RestProductsTest, WhatIsNoProductIsSaidWhereTheUserLooks) {
    const auto refused = [this](const json& given, unsigned status, const std::string& words) {
        const Reply got = json_of(Method::Post, "/v1/user/products", ann, given);
        EXPECT_EQ(got.status, status) << given;
        EXPECT_NE(got.body.find(words), std::string::npos) << got.body;
    };
    refused({{"platform_id", 6}}, 400, "name:");
    refused({{"name", "\u00e4"}, {"platform_id", 6}, {"id", 5}}, 400, "id:");
    refused({{"name", "x"}}, 400, "platform_id:");
    refused({{"name", "x"}, {"platform_id", 70'000}}, 400, "platform_id:");
    refused({{"name", "x"}, {"platform_id", 6}, {"id", 1'000}}, 409, "another product");
    refused({{"name", "Ann's lamps"}, {"platform_id", 6}}, 409, "slug");
    EXPECT_EQ(put("", {{"slug", "A b"}}).status, 400U);
}

TEST_F(RestProductsTest, NothingOfAnotherUsersProductIsReached) {
    import(1);
    post("/groups", {{"name", "early"}});
    upload(2, "firmware 6 1000 2");
    std::size_t count = 0;
    for (const Rest::Route& route : Rest::routes()) {
        std::string path = route.path;
        if (!path.starts_with("/v1/products/:product")) continue;
        const auto fill = [&path](const std::string& place, const std::string& value) {
            if (const auto at = path.find(place); at != std::string::npos)
                path.replace(at, place.size(), value);
        };
        fill(":product", "1000");
        fill(":device", id_text(lamp_id(1)));
        fill(":group", "early");
        fill(":version", "2");
        const Reply got = json_of(
            route.method, path, bob, {{"name", "x"}, {"id", id_text(lamp_id(2))}, {"version", 2}});
        EXPECT_EQ(got.status, 404U) << route.path;
        EXPECT_EQ(got.body.find("early"), std::string::npos) << route.path;
        ++count;
    }
    EXPECT_GT(count, 30U);
    EXPECT_EQ(read("/groups")["groups"].size(), 1U);
    EXPECT_EQ(read("/devices")["devices"].size(), 1U);
}

TEST_F(RestProductsTest, ATokenIsGoodForWhatItIsFor) {
    const std::string reader = token_of("ann", "&scope=devices:list");
    EXPECT_EQ(get("/v1/products", reader).status, 403U);
    EXPECT_EQ(get("/v1/products/1000/devices", reader).status, 200U);
    EXPECT_EQ(get("/v1/products/1000/firmware", reader).status, 403U);
    const std::string releaser = token_of("ann", "&scope=firmware:release+products:get");
    EXPECT_EQ(get("/v1/products/1000/firmware", releaser).status, 200U);
    EXPECT_EQ(get("/v1/products/1000/devices", releaser).status, 403U);
}

TEST_F(RestProductsTest, DevicesAreImportedByIdListAndFile) {
    add_lamp(9, "bob");
    const std::string bobs = id_text(lamp_id(9));
    const Reply by_file =
        send_file(Method::Post,
                  "/devices",
                  id_text(lamp_id(1)) + "\r\n\n" + id_text(lamp_id(2)) + "\nnonsense\n" + bobs,
                  {});
    EXPECT_EQ(by_file.status, 200U);
    EXPECT_EQ(body(by_file)["updated"], 2);
    EXPECT_EQ(body(by_file)["updatedDeviceIds"], (json{id_text(lamp_id(1)), id_text(lamp_id(2))}));
    EXPECT_EQ(body(by_file)["invalidDeviceIds"], json{"nonsense"});
    EXPECT_EQ(body(by_file)["nonmemberDeviceIds"], json{bobs});
    EXPECT_EQ(body(post("/devices", {{"ids", {id_text(lamp_id(3))}}}))["updated"], 1);
    EXPECT_EQ(post("/devices", json::object()).status, 400U);
    EXPECT_EQ(post("/devices", {{"ids", std::vector<std::string>(4'097, "x")}}).status, 400U);
    make("others", 1'001);
    const Reply twice =
        json_of(Method::Post, "/v1/products/1001/devices", ann, {{"id", id_text(lamp_id(1))}});
    EXPECT_EQ(body(twice)["invalidDeviceIds"], json{id_text(lamp_id(1))})
        << "it is in the list of another product";
    std::vector<std::string> many;
    for (int i = 0; i < 200; ++i) many.push_back(id_text({0xbb, static_cast<std::uint8_t>(i)}));
    EXPECT_EQ(body(post("/devices", {{"ids", many}}))["updated"], 200);
    store_.fail_with(Error::StorageFailed);
    const Reply failed = post("/devices", {{"id", id_text(lamp_id(5))}});
    EXPECT_EQ(failed.status, 500U);
    store_.fail_with(std::nullopt);
    EXPECT_EQ(get("/v1/products/1000" + device(5), ann).status, 404U);
}

TEST_F(RestProductsTest, TheListHasPagesAndFilters) {
    post("/groups", {{"name", "early"}});
    for (std::uint8_t i = 1; i <= 7; ++i) import(i);
    add_lamp(3, "ann");
    json_of(Method::Put, "/v1/devices/" + id_text(lamp_id(3)), ann, {{"name", "Kitchen"}});
    put(device(5), {{"groups", {"early"}}});
    const auto ids = [this](const std::string& query) {
        json list = json::array();
        const json shown = read("/devices?" + query);
        for (const json& each : shown["devices"])
            list.push_back(each["id"].get<std::string>().substr(3, 1));
        return list;
    };
    EXPECT_EQ(ids(""), (json{"1", "2", "3", "4", "5", "6", "7"}));
    EXPECT_EQ(ids("per_page=3&page=2"), (json{"4", "5", "6"}));
    EXPECT_EQ(ids("per_page=3&page=4"), json::array());
    EXPECT_EQ(ids("deviceName=kitch"), json{"3"});
    EXPECT_EQ(ids("deviceId=AA07"), json{"7"});
    EXPECT_EQ(ids("groups=late%2Cearly"), json{"5"});
    EXPECT_EQ(ids("sortAttr=deviceId&sortDir=desc&per_page=1"), json{"7"});
    EXPECT_EQ(ids("sortAttr=lastConnection&sortDir=desc&per_page=1"), json{"3"});
    EXPECT_EQ(ids("sortAttr=firmwareVersion&per_page=1").size(), 1U);
    EXPECT_EQ(ids("sortAttr=deviceName&sortDir=desc&per_page=1"), json{"3"});
    EXPECT_EQ(ids("per_page=0&page=x").size(), 7U);
    const json meta = read("/devices?per_page=3&page=2")["meta"];
    EXPECT_EQ(meta["total_pages"], 3);
    EXPECT_EQ(meta["page"], 2);
    EXPECT_EQ(meta["per_page"], 3);
    EXPECT_EQ(meta["total"], 7);
    EXPECT_EQ(read("/devices?per_page=99999")["meta"]["per_page"], kPageSizeMax);
}

TEST_F(RestProductsTest, ADeviceOfAProductIsUsedAsOneOfItsUser) {
    Lamp& lamp = add_lamp(1, "ann");
    add_lamp(2, "ann");
    import(1);
    const json one = read(device(1));
    EXPECT_EQ(one["product_id"], 1'000);
    EXPECT_EQ(one["owner"], "ann");
    EXPECT_EQ(one["connected"], true);
    EXPECT_EQ(one["functions"], (json{"led", "silent"}));
    EXPECT_EQ(one["variables"]["temperature"], "double");
    EXPECT_EQ(body(get("/v1/devices/" + id_text(lamp_id(1)), ann))["product_id"], 1'000);
    EXPECT_EQ(body(post(device(1) + "/led", {{"args", "on"}}))["return_value"], 2);
    EXPECT_EQ(read(device(1) + "/temperature")["result"], 21.5);
    EXPECT_EQ(body(put(device(1) + "/ping", json::object()))["online"], true);
    EXPECT_EQ(body(put(device(1), {{"signal", "1"}}))["signaling"], true);
    EXPECT_EQ(lamp.signals, std::vector<bool>{true});
    EXPECT_EQ(body(put(device(1), {{"name", "kitchen"}}))["name"], "kitchen");
    EXPECT_EQ(read("/devices/Kitchen")["id"], id_text(lamp_id(1)));
    EXPECT_EQ(body(post("/devices/kitchen/led", {{"args", "x"}}))["return_value"], 1);
    // One that is no member.
    EXPECT_EQ(get("/v1/products/1000" + device(2), ann).status, 404U);
    EXPECT_EQ(post(device(2) + "/led", {{"args", "on"}}).status, 404U);
    EXPECT_EQ(put(device(2), {{"name", "x"}}).status, 404U);
    EXPECT_EQ(put(device(1), {{"nonsense", 1}}).status, 400U);
    EXPECT_EQ(erase(device(1)).status, 204U);
    EXPECT_EQ(get("/v1/products/1000" + device(1), ann).status, 404U);
    EXPECT_EQ(get("/v1/devices/" + id_text(lamp_id(1)), ann).status, 200U) << "still her own";
}

TEST_F(RestProductsTest, ADeviceIsFlashedThroughItsProduct) {
    Lamp& lamp = add_lamp(1, "ann");
    import(1);
    EXPECT_EQ(body(put(device(1), {{"development", true}}))["development"], true);
    std::optional<Reply> answer;
    const std::string text =
        "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a/fw.bin\"\r\n\r\nabc\r\n"
        "--x\r\nContent-Disposition: form-data; name=\"latest\"\r\n\r\ntrue\r\n--x--\r\n";
    rest.handle({.method = Method::Put,
                 .target = "/v1/products/1000" + device(1),
                 .authorization = "Bearer " + ann,
                 .content_type = "multipart/form-data; boundary=x",
                 .body = text,
                 .address = "127.0.0.1"},
                [&answer](Answer given) { answer = std::get<Reply>(std::move(given)); });
    settle();
    ASSERT_EQ(lamp.updates.size(), 1U);
    lamp.updates[0].on_progress(0);
    ASSERT_TRUE(answer);
    EXPECT_EQ(body(*answer)["status"], "Update started");
}

TEST_F(RestProductsTest, AStrangerThatSaysItIsOfTheProductIsQuarantinedUntilItIsApproved) {
    Lamp& lamp = come(1, 1'000);
    EXPECT_EQ(read(device(1))["quarantined"], true);
    EXPECT_EQ(read(device(1))["owner"], json());
    EXPECT_EQ(read("/devices?quarantined=true")["devices"].size(), 1U);
    EXPECT_EQ(read("/devices?quarantined=false")["devices"].size(), 0U);
    EXPECT_EQ(body(get("/v1/products/1000", ann))["product"]["quarantined_count"], 1);
    EXPECT_EQ(post(device(1) + "/led", {{"args", "on"}}).status, 404U);
    EXPECT_EQ(get("/v1/devices/" + id_text(lamp_id(1)), ann).status, 404U);
    upload(2, "firmware 6 1000 2");
    put("/firmware/release", {{"version", 2}, {"product_default", true}, {"intelligent", true}});
    rollouts.on_time();
    settle();
    EXPECT_TRUE(lamp.updates.empty()) << "it gets no firmware";

    import(1);
    EXPECT_EQ(read(device(1))["quarantined"], false);
    EXPECT_EQ(read(device(1))["owner"], "ann");
    EXPECT_EQ(body(post(device(1) + "/led", {{"args", "on"}}))["return_value"], 2);
    rollouts.on_time();
    settle();
    EXPECT_EQ(lamp.updates.size(), 1U) << "and now it does";
}

TEST_F(RestProductsTest, AStrangerWhoseOwnerWasLookedUpBeforeIsQuarantinedToo) {
    using Known = services::OpenDevices::Known;
    lamps.emplace_back();
    lamps.back().become(1'000, 1);
    devices.on_connected(lamp_id(1), lamps.back(), Known{.owners = devices.owners()});
    settle();
    EXPECT_EQ(read(device(1))["quarantined"], true);
    import(1);
    const Known known{.owner = accounts.at("ann"), .owners = devices.owners()};
    devices.on_connected(lamp_id(1), lamps.back(), known);
    EXPECT_NE(devices.find(lamp_id(1), accounts.at("ann")), nullptr) << "a member is there at once";
}

TEST_F(RestProductsTest, ADeviceThatIsDeniedIsNotAskedAboutAgain) {
    come(1, 1'000);
    EXPECT_EQ(erase(device(1), {{"deny", true}}).status, 204U);
    EXPECT_EQ(read(device(1))["denied"], true);
    Lamp& again = come(1, 1'000);
    EXPECT_EQ(read(device(1))["denied"], true);
    EXPECT_EQ(read(device(1))["quarantined"], false);
    EXPECT_EQ(put(device(1), {{"quarantined", false}}).status, 200U);
    EXPECT_EQ(read(device(1))["denied"], false);
    EXPECT_EQ(body(post(device(1) + "/led", {{"args", "on"}}))["return_value"], 2);
    EXPECT_EQ(again.replaced, 0);
    // Given up, it is nobody's, and its user's again when it comes back: it is in the list.
    EXPECT_EQ(body(erase(device(1) + "/owner"))["ok"], true);
    EXPECT_EQ(get("/v1/devices/" + id_text(lamp_id(1)), ann).status, 404U);
    come(1, 1'000);
    EXPECT_EQ(get("/v1/devices/" + id_text(lamp_id(1)), ann).status, 200U);
    // Out of the list it is a stranger.
    erase(device(1));
    come(1, 1'000);
    EXPECT_EQ(read(device(1))["quarantined"], true);
}

TEST_F(RestProductsTest, ADeviceOfAnotherUserIsNotShownAndNotTaken) {
    Lamp& lamp = add_lamp(1, "bob");
    lamp.become(1'000, 1);
    devices.on_connected(lamp_id(1), lamp);
    settle();
    EXPECT_EQ(get("/v1/products/1000" + device(1), ann).status, 404U);
    // A device that nobody owns is no member because it is in a list: it must say so, too.
    import(2);
    come(2, 6);
    EXPECT_EQ(get("/v1/devices/" + id_text(lamp_id(2)), ann).status, 404U);
    come(2, 1'000);
    EXPECT_EQ(get("/v1/devices/" + id_text(lamp_id(2)), ann).status, 200U);
}

TEST_F(RestProductsTest, EventsOfAProductAreThoseOfItsDevicesAndThoseThatAreSaidForIt) {
    Lamp& member = add_lamp(1, "ann");
    Lamp& other = add_lamp(2, "ann");
    import(1);
    const auto stream = [this](const std::string& path) {
        const Answer answer = ask({.target = path, .authorization = "Bearer " + ann});
        return std::get<OpenStream>(answer);
    };
    OpenStream of_product = stream("/v1/products/1000/events/t");
    OpenStream of_device = stream("/v1/products/1000" + device(1) + "/events");
    OpenStream mine = stream("/v1/products/1000/devices/events");
    EXPECT_EQ(get("/v1/products/1000" + device(2) + "/events", ann).status, 404U);
    devices.on_event(lamp_id(1), member, {.name = "temp", .data = "1"});
    devices.on_event(lamp_id(2), other, {.name = "temp", .data = "2"});
    EXPECT_EQ(post("/events", {{"name", "told"}, {"data", "3"}}).status, 200U);
    json_of(Method::Post, "/v1/devices/events", ann, {{"name", "told"}, {"data", "4"}});
    const auto data = [this](const OpenStream& opened) {
        std::string all;
        std::uint64_t cursor = opened.after;
        while (const auto event = ring.next(opened.filter, cursor)) all += *event->what.data;
        return all;
    };
    EXPECT_EQ(data(of_product), "13");
    EXPECT_EQ(data(mine), "13");
    EXPECT_EQ(data(of_device), "1");
}

TEST_F(RestProductsTest, IntegrationsOfAProductTakeItsEventsAndNoOthers) {
    Lamp& member = add_lamp(1, "ann");
    add_lamp(2, "ann");
    import(1);
    const Reply made =
        post("/integrations", {{"event", "t"}, {"url", "https://e.com"}, {"name", "x"}});
    EXPECT_EQ(made.status, 201U);
    const std::string id = body(made)["id"];
    EXPECT_EQ(body(made)["hookUrl"], "/v1/products/1000/integrations/" + id);
    EXPECT_EQ(read("/integrations").size(), 1U);
    EXPECT_EQ(read("/webhooks")[0]["product_id"], 1'000);
    EXPECT_EQ(body(get("/v1/integrations", ann)), json::array());
    EXPECT_EQ(get("/v1/integrations/" + id, ann).status, 404U);
    EXPECT_EQ(body(put("/integrations/" + id, {{"name", "y"}}))["name"], "y");
    devices.publish(accounts.at("ann"), {.name = "temp"});
    EXPECT_EQ(dispatcher.totals().waiting, 0U);
    devices.on_event(lamp_id(1), member, {.name = "temp", .data = "1"});
    EXPECT_EQ(dispatcher.totals().waiting, 1U);
    const auto next = dispatcher.next(now);
    const auto& send = std::get<hooks::Send>(*next);
    dispatcher.on_sent(send.job);
    dispatcher.on_answered(send.job, hooks::WebResponse{.status = 200, .body = "good"}, now);
    std::vector<std::string> said;
    while (const auto output = dispatcher.next(now)) {
        const auto& say = std::get<hooks::Say>(*output);
        EXPECT_EQ(say.what.product, 1'000);
        said.push_back(say.what.name);
    }
    EXPECT_EQ(said,
              (std::vector<std::string>{"hook-sent/temp",
                                        id_text(lamp_id(1)) + "/hook-response/temp/0"}));
    EXPECT_EQ(post("/integrations/" + id + "/test", json::object()).status, 202U);
    EXPECT_EQ(erase("").status, 204U);
    EXPECT_EQ(dispatcher.totals().hooks, 0U) << "with their product";
}

TEST_F(RestProductsTest, GroupsAreMadeNamedAndEnded) {
    EXPECT_EQ(post("/groups", {{"name", "early"}, {"color", "#fff"}}).status, 201U);
    EXPECT_EQ(post("/groups", {{"name", "early"}}).status, 409U);
    EXPECT_EQ(post("/groups", {{"name", "a,b"}}).status, 400U);
    EXPECT_EQ(post("/groups", json::object()).status, 400U);
    import(1);
    EXPECT_EQ(put(device(1), {{"groups", {"none"}}}).status, 400U);
    EXPECT_EQ(body(put(device(1), {{"groups", {"early", "early"}}}))["groups"], json{"early"});
    EXPECT_EQ(read("/groups/early")["group"]["device_count"], 1);
    EXPECT_EQ(read("/impact?groups=early")["devices"], 1);
    EXPECT_EQ(read("/impact?groups=late")["devices"], 0);
    EXPECT_EQ(
        body(put("/groups/early", {{"name", "first"}, {"description", "d"}}))["group"]["name"],
        "first");
    EXPECT_EQ(read(device(1))["groups"], json{"first"});
    EXPECT_EQ(get("/v1/products/1000/groups/early", ann).status, 404U);
    EXPECT_EQ(put("/groups/early", {{"name", "x"}}).status, 404U);
    EXPECT_EQ(read("/groups")["groups"].size(), 1U);
    EXPECT_EQ(erase("/groups/first").status, 204U);
    EXPECT_EQ(erase("/groups/first").status, 404U);
    EXPECT_EQ(read(device(1))["groups"], json::array());
}

TEST_F(RestProductsTest, FirmwareIsStoredReadNamedAndDeleted) {
    const Reply made = send_file(Method::Post,
                                 "/firmware",
                                 "firmware 6 1000 2",
                                 {{"version", "2"}, {"title", "Second"}, {"description", "d"}});
    EXPECT_EQ(made.status, 201U) << made.body;
    EXPECT_EQ(body(made)["version"], 2);
    EXPECT_EQ(body(made)["size"], 17);
    EXPECT_EQ(body(made)["title"], "Second");
    EXPECT_EQ(body(made)["current"], false);
    EXPECT_EQ(read("/firmware").size(), 1U);
    EXPECT_EQ(read("/firmware/2")["description"], "d");
    const Reply binary = get("/v1/products/1000/firmware/2/binary", ann);
    EXPECT_EQ(binary.body, "firmware 6 1000 2");
    EXPECT_EQ(binary.type, "application/octet-stream");
    EXPECT_EQ(body(put("/firmware/2", {{"title", "New"}}))["title"], "New");
    EXPECT_EQ(put("/firmware/2", {{"title", ""}}).status, 400U);
    EXPECT_EQ(put("/firmware/3", {{"title", "x"}}).status, 404U);
    EXPECT_EQ(erase("/firmware/2").status, 204U);
    EXPECT_EQ(get("/v1/products/1000/firmware/2", ann).status, 404U);
    EXPECT_EQ(get("/v1/products/1000/firmware/nonsense/binary", ann).status, 404U);
}

TEST_F(RestProductsTest, FirmwareOfAnotherKindIsRefusedWithAReason) {
    const auto refused = [this](int version, const std::string& content, const std::string& words) {
        const Reply got = upload(version, content);
        EXPECT_EQ(got.status, 400U);
        EXPECT_EQ(body(got)["error"], "wrong_firmware");
        EXPECT_NE(got.body.find(words), std::string::npos) << got.body;
    };
    refused(2, "nonsense", "no firmware");
    refused(2, "firmware 103 1000 2", "of platform 103");
    refused(2, "firmware 6 1001 2", "of product 1001");
    refused(2, "firmware 6 1000 3", "version 3, not 2");
    EXPECT_EQ(send_file(Method::Post, "/firmware", "firmware 6 1000 2", {}).status, 400U);
    EXPECT_EQ(upload(70'000, "firmware 6 1000 2").status, 400U);
    EXPECT_EQ(upload(2, "firmware 6 1000 2").status, 201U);
    EXPECT_EQ(upload(2, "firmware 6 1000 2").status, 409U);
    store_.fail_with(Error::StorageFailed);
    const Reply full = upload(3, "firmware 6 1000 3");
    store_.fail_with(std::nullopt);
    EXPECT_EQ(full.status, 507U);
    EXPECT_NE(full.body.find("disk may be full"), std::string::npos);
    EXPECT_EQ(read("/firmware").size(), 1U);
}

TEST_F(RestProductsTest, AReleaseReachesTheDevicesOfItsGroupsAndTellsHowItGoes) {
    Lamp& early = add_lamp(1, "ann");
    Lamp& late = add_lamp(2, "ann");
    import(1);
    import(2);
    post("/groups", {{"name", "early"}});
    put(device(1), {{"groups", {"early"}}});
    upload(2, "firmware 6 1000 2");
    EXPECT_EQ(put("/firmware/release", {{"version", 3}, {"product_default", true}}).status, 404U);
    EXPECT_EQ(put("/firmware/release", {{"version", 2}}).status, 400U);
    EXPECT_EQ(put("/firmware/release", {{"version", 2}, {"groups", {"none"}}}).status, 400U);
    const Reply released =
        put("/firmware/release", {{"version", 2}, {"groups", {"early"}}, {"intelligent", true}});
    EXPECT_EQ(released.status, 200U);
    EXPECT_EQ(body(released)["groups"], json{"early"});
    EXPECT_EQ(body(released)["release"]["waiting"], 1);
    EXPECT_EQ(read(device(1))["targeted_firmware_release_version"], 2);
    EXPECT_EQ(read(device(2))["targeted_firmware_release_version"], json());
    rollouts.on_time();
    settle();
    ASSERT_EQ(early.updates.size(), 1U);
    EXPECT_TRUE(late.updates.empty());
    EXPECT_EQ(read("/firmware/2")["release"]["updating"], 1);
    early.updates[0].on_end(services::UpdateFailure{services::UpdateError::Refused, "no room"});
    const json release = read("/firmware/2")["release"];
    EXPECT_EQ(release["failed"], 1);
    EXPECT_EQ(release["status"], "running");
    EXPECT_EQ(read(device(1))["update_trouble"]["why"], "no room");
    EXPECT_EQ(erase("/firmware/2").status, 409U);
    upload(3, "firmware 6 1000 3");
    put("/firmware/release", {{"version", 3}, {"product_default", true}, {"groups", {"early"}}});
    EXPECT_EQ(read("/firmware/2")["release"]["status"], "superseded");
    EXPECT_EQ(read("/firmware/3")["current"], true);
    EXPECT_EQ(erase("/firmware/2").status, 204U);
}

TEST_F(RestProductsTest, ADeviceMayBeLockedToAFirmwareAndFlashedWithItNow) {
    Lamp& lamp = add_lamp(1, "ann");
    import(1);
    upload(2, "firmware 6 1000 2");
    EXPECT_EQ(put(device(1), {{"desired_firmware_version", 9}}).status, 400U);
    const Reply locked = put(device(1), {{"desired_firmware_version", 2}, {"flash", true}});
    EXPECT_EQ(body(locked)["desired_firmware_version"], 2);
    rollouts.on_time();
    settle();
    ASSERT_EQ(lamp.updates.size(), 1U);
    EXPECT_EQ(erase("/firmware/2").status, 409U);
    lamp.become(1'000, 2);
    lamp.updates[0].on_end({});
    EXPECT_EQ(read("/firmware/2")["device_count"], 1);
    const Reply unlocked = put(device(1), {{"desired_firmware_version", nullptr}});
    EXPECT_EQ(body(unlocked)["desired_firmware_version"], json());
    EXPECT_EQ(erase("/firmware/2").status, 204U);
}

TEST_F(RestProductsTest, AProgramHasASecretAndATokenOfItsOwn) {
    const auto create = [this](const json& given) {
        return json_of(Method::Post, "/v1/clients", ann, given);
    };
    EXPECT_EQ(create({{"type", "web"}}).status, 400U);
    EXPECT_EQ(create({{"name", "x"}, {"type", "other"}}).status, 400U);
    EXPECT_EQ(create({{"name", "x"}, {"scope", "nonsense"}}).status, 400U);
    const Reply made = create({{"name", "x"}, {"type", "web"}, {"scope", "devices:list"}});
    ASSERT_EQ(made.status, 201U);
    const std::string id = body(made)["client"]["id"];
    const std::string secret = body(made)["secret"];
    EXPECT_EQ(body(get("/v1/clients", ann))["clients"].size(), 1U);
    EXPECT_FALSE(body(get("/v1/clients", ann))["clients"][0].contains("secret"));
    EXPECT_EQ(body(get("/v1/clients", bob))["clients"], json::array());

    const std::string client = "client_id=" + id + "&client_secret=" + secret;
    const Reply token = form("/oauth/token", client + "&grant_type=client_credentials");
    ASSERT_EQ(token.status, 200U) << token.body;
    const std::string access = body(token)["access_token"];
    EXPECT_EQ(get("/v1/devices", access).status, 200U);
    EXPECT_EQ(get("/v1/clients", access).status, 403U) << "narrowed to what the client is for";
    const Reply by_password =
        form("/oauth/token", client + "&grant_type=password&username=ann&password=pass+of+ann");
    EXPECT_EQ(get("/v1/products", body(by_password)["access_token"]).status, 403U);
    EXPECT_EQ(
        body(form("/oauth/token",
                  "client_id=" + id + "&client_secret=x&grant_type=client_credentials"))["error"],
        "invalid_client");
    EXPECT_EQ(
        body(form("/oauth/token", client + "&grant_type=password&scope=events:send"))["error"],
        "invalid_scope");

    EXPECT_EQ(json_of(Method::Put, "/v1/clients/" + id, bob, {{"name", "y"}}).status, 404U);
    EXPECT_EQ(json_of(Method::Put, "/v1/products/1000/clients/" + id, ann, {{"name", "y"}}).status,
              404U);
    EXPECT_EQ(body(json_of(Method::Put, "/v1/clients/" + id, ann, {{"name", "y"}}))["name"], "y");
    EXPECT_EQ(json_of(Method::Delete, "/v1/clients/" + id, bob).status, 404U);
    EXPECT_EQ(json_of(Method::Delete, "/v1/clients/" + id, ann).status, 204U);
    EXPECT_EQ(body(form("/oauth/token", client + "&grant_type=client_credentials"))["error"],
              "invalid_client");
    const Reply of_product = post("/clients", {{"name", "p"}});
    EXPECT_EQ(body(of_product)["client"]["product_id"], 1'000);
    EXPECT_EQ(read("/clients")["clients"].size(), 1U);
    EXPECT_EQ(body(get("/v1/clients", ann))["clients"], json::array());
    EXPECT_EQ(
        body(form(
            "/oauth/token",
            "grant_type=client_credentials&client_id=" + body(of_product)["id"].get<std::string>() +
                "&client_secret=" + body(of_product)["secret"].get<std::string>()))["error"],
        "unauthorized_client");
}

TEST_F(RestProductsTest, WhatThisCloudHasNoneOfIsSaidSo) {
    EXPECT_EQ(body(get("/v1/libraries?filter=x", ann))["data"], json::array());
    EXPECT_EQ(body(get("/v1/logic/functions", ann))["logic_functions"], json::array());
    EXPECT_EQ(body(get("/v1/secrets", ann))["secrets"], json::array());
    for (const Rest::Absent& absent : Rest::absent()) {
        std::string path = absent.path;
        for (char& c : path) {
            if (c == ':' || c == '*') c = 'x';
        }
        const Reply got = json_of(Method::Other, path, ann);
        EXPECT_EQ(got.status, 501U) << path;
        EXPECT_EQ(body(got)["error"], "not_implemented") << path;
        EXPECT_EQ(body(got)["error_description"], absent.why) << path;
    }
    EXPECT_EQ(json_of(Method::Post, "/v1/logic/functions", ann).status, 501U);
    EXPECT_EQ(json_of(Method::Post, "/v1/devices", ann, {{"product_id", 1'000}}).status, 501U);
    const Reply of_org = get("/v1/orgs/x/products", ann);
    EXPECT_EQ(of_org.status, 404U);
    EXPECT_NE(of_org.body.find("--org"), std::string::npos);
}

}  // namespace
}  // namespace sotto::cloud::http
