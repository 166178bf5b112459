// SPDX-License-Identifier: Apache-2.0
// As account_contract.hpp: what every Store must do with products and programs.
#pragma once

#include <string>
#include <vector>

#include "cloud/model/products.hpp"
#include "testing/account_contract.hpp"

namespace sotto::testing {

template <class Fixture>
class ProductContract : public AccountContract<Fixture> {
  public:
    using Product = cloud::model::ProductRecord;
    using Device = cloud::model::ProductDevice;
    using Group = cloud::model::GroupRecord;
    using Firmware = cloud::model::FirmwareRecord;
    using Release = cloud::model::ReleaseRecord;
    using Client = cloud::model::ClientRecord;
    using ProductId = cloud::model::ProductId;

    static Product product(std::uint16_t id, contract::AccountId account, std::string slug = {}) {
        return {.id = ProductId{id},
                .account = account,
                .slug = slug.empty() ? "p" + std::to_string(id) : std::move(slug),
                .name = "Product \u00e4",
                .description = "of lamps",
                .platform = 103,
                .created_at = contract::kNow};
    }
    static Device device(std::uint16_t product, std::uint8_t number) {
        return {.product = ProductId{product},
                .device = contract::device_id(number),
                .added_at = contract::kNow};
    }
    // Two users with a product each: 1000 and 2000.
    void SetUp() override {
        ann_ = this->account("ann");
        bob_ = this->account("bob");
        ASSERT_TRUE(add(product(1'000, ann_)));
        ASSERT_TRUE(add(product(2'000, bob_)));
    }
    Status add(const Product& given) {
        return this->template ask<void>(
            [&](auto& store, auto done) { store.add_product(given, done); });
    }
    Status add(contract::AccountId account, const Group& given) {
        return this->template ask<void>(
            [&](auto& store, auto done) { store.add_group(account, given, done); });
    }
    Result<Device> add(contract::AccountId account, const Device& given) {
        return this->template ask<Device>(
            [&](auto& store, auto done) { store.add_product_device(account, given, done); });
    }
    Status add(contract::AccountId account,
               const Firmware& given,
               std::vector<std::uint8_t> image = {}) {
        return this->template ask<void>(
            [&](auto& store, auto done) { store.add_firmware(account, given, image, done); });
    }
    Result<Release> add(contract::AccountId account, const Release& given) {
        return this->template ask<Release>(
            [&](auto& store, auto done) { store.add_release(account, given, done); });
    }
    template <class T, class List>
    std::vector<T> all(List operation) {
        return this
            ->template ask<std::vector<T>>(
                [&](auto& store, auto done) { (store.*operation)(std::move(done)); })
            .value();
    }
    std::vector<Product> products() { return all<Product>(&cloud::store::Store::list_products); }
    std::vector<Device> devices() {
        return all<Device>(&cloud::store::Store::list_product_devices);
    }
    std::vector<Group> groups() { return all<Group>(&cloud::store::Store::list_groups); }
    std::vector<Firmware> firmware() { return all<Firmware>(&cloud::store::Store::list_firmware); }
    std::vector<Release> releases() { return all<Release>(&cloud::store::Store::list_releases); }

    contract::AccountId ann_{};
    contract::AccountId bob_{};
};

TYPED_TEST_SUITE_P(ProductContract);

TYPED_TEST_P(ProductContract, ProductsAreOfOneAccountAndTheirIdsOfTheCloud) {
    const auto ann = this->ann_;
    const auto bob = this->bob_;
    EXPECT_EQ(this->add(this->product(1'000, bob, "other")).error(), Error::AlreadyExists);
    EXPECT_EQ(this->add(this->product(1'001, ann, "p1000")).error(), Error::AlreadyExists);
    EXPECT_TRUE(this->add(this->product(1'001, bob, "p1000"))) << "the slug of another user";
    const auto update = [this](const auto& given) {
        return this->template ask<void>(
            [&](auto& store, auto done) { store.update_product(given, done); });
    };
    auto changed = this->product(1'000, ann, "lamps");
    changed.name = "Lamps";
    EXPECT_TRUE(update(changed));
    EXPECT_EQ(update(this->product(1'000, bob, "stolen")).error(), Error::NotFound);
    EXPECT_EQ(update(this->product(1'001, bob, "p2000")).error(), Error::AlreadyExists);
    this->fixture.reopen();
    EXPECT_EQ(
        this->products(),
        (std::vector{changed, this->product(1'001, bob, "p1000"), this->product(2'000, bob)}));
    const auto erase = [this](auto account, std::uint16_t id) {
        return this->template ask<void>([&](auto& store, auto done) {
            store.erase_product(account, cloud::model::ProductId{id}, done);
        });
    };
    EXPECT_TRUE(this->add(ann, this->device(1'000, 1)));
    EXPECT_EQ(erase(bob, 1'000).error(), Error::NotFound);
    EXPECT_TRUE(erase(ann, 1'000));
    EXPECT_EQ(this->products().size(), 2U);
    EXPECT_TRUE(this->devices().empty());
    for (std::size_t i = 0; i < cloud::store::kProductsPerAccountMax; ++i)
        ASSERT_TRUE(this->add(this->product(static_cast<std::uint16_t>(3'000 + i), ann)));
    EXPECT_EQ(this->add(this->product(9'000, ann)).error(), Error::NoSpace);
}

TYPED_TEST_P(ProductContract, DevicesAreInTheListOfOneProductOfAUser) {
    using cloud::model::Membership;
    const auto ann = this->ann_;
    const auto bob = this->bob_;
    ASSERT_TRUE(this->add(this->product(1'001, ann)));
    auto given = this->device(1'000, 7);
    given.is_development = true;
    given.desired_version = 3;
    given.groups = {"a b", "c"};
    EXPECT_EQ(this->add(bob, given).error(), Error::NotFound) << "it is ann's product";
    EXPECT_EQ(this->add(ann, given).value(), given);
    EXPECT_EQ(this->add(ann, this->device(1'000, 7)).value(), given) << "it stays as it is";
    EXPECT_EQ(this->add(ann, this->device(1'001, 7)).error(), Error::Refused);
    EXPECT_TRUE(this->add(bob, this->device(2'000, 7))) << "what others list hinders nobody";
    this->fixture.reopen();
    EXPECT_EQ(this->devices(), (std::vector{given, this->device(2'000, 7)}));

    auto shown = this->device(1'001, 7);
    shown.membership = Membership::Quarantined;
    EXPECT_TRUE(this->add(ann, shown));
    const auto update = [this](auto account, const cloud::model::ProductDeviceChanges& changes) {
        return this->template ask<cloud::model::ProductDevice>([&](auto& store, auto done) {
            store.update_product_device(
                account, cloud::model::ProductId{1'001}, contract::device_id(7), changes, done);
        });
    };
    EXPECT_EQ(update(bob, {.membership = Membership::Member}).error(), Error::NotFound);
    EXPECT_EQ(update(ann, {.membership = Membership::Denied})->membership, Membership::Denied);
    EXPECT_EQ(this->add(ann, shown)->membership, Membership::Denied) << "it shows itself again";
    const cloud::model::UpdateTrouble trouble{
        .version = 4, .failures = 2, .retry_at = contract::kLater, .why = "no room"};
    auto changed = shown;
    changed.membership = Membership::Denied;
    changed.trouble = trouble;
    changed.desired_version = 9;
    EXPECT_EQ(update(ann, {.desired_version = {{9}}, .trouble = trouble}).value(), changed);
    changed.desired_version.reset();
    const std::optional<std::uint16_t> none;
    EXPECT_EQ(update(ann, {.desired_version = none}).value(), changed);
    const auto erase = [this](auto account, std::uint16_t product) {
        return this->template ask<void>([&](auto& store, auto done) {
            store.erase_product_device(
                account, cloud::model::ProductId{product}, contract::device_id(7), done);
        });
    };
    EXPECT_EQ(erase(ann, 2'000).error(), Error::NotFound);
    EXPECT_TRUE(erase(ann, 1'000));
    EXPECT_EQ(erase(ann, 1'000).error(), Error::NotFound);
    EXPECT_EQ(this->add(ann, this->device(1'001, 7))->membership, Membership::Member);
    EXPECT_EQ(this->devices().size(), 2U);
}

TYPED_TEST_P(ProductContract, AListHasRoomForSoManyDevicesAndForSoManyThatNobodyApproved) {
    using cloud::model::Membership;
    const auto put = [this](std::size_t number, Membership membership) {
        auto given = this->device(1'000, 0);
        given.device[1] = static_cast<std::uint8_t>(number);
        given.device[2] = static_cast<std::uint8_t>(number >> 8U);
        given.membership = membership;
        return this->add(this->ann_, given);
    };
    std::size_t number = 0;
    for (std::size_t i = 0; i < cloud::store::kQuarantinedMax; ++i)
        ASSERT_TRUE(put(++number, Membership::Quarantined));
    EXPECT_EQ(put(60'000, Membership::Quarantined).error(), Error::NoSpace);
    for (std::size_t i = 0; i < cloud::store::kProductDevicesMax; ++i)
        ASSERT_TRUE(put(++number, Membership::Member));
    EXPECT_EQ(put(60'000, Membership::Member).error(), Error::NoSpace);
}

TYPED_TEST_P(ProductContract, AGroupThatIsRenamedOrErasedIsSoInItsDevicesAndReleases) {
    const auto ann = this->ann_;
    const auto bob = this->bob_;
    const auto group = [](std::string name) {
        return cloud::model::GroupRecord{.product = cloud::model::ProductId{1'000},
                                         .name = std::move(name),
                                         .description = "d",
                                         .color = "#123456",
                                         .created_at = contract::kNow};
    };
    EXPECT_EQ(this->add(bob, group("early")).error(), Error::NotFound);
    EXPECT_TRUE(this->add(ann, group("early")));
    EXPECT_TRUE(this->add(ann, group("late")));
    EXPECT_EQ(this->add(ann, group("late")).error(), Error::AlreadyExists);
    auto device = this->device(1'000, 1);
    device.groups = {"early", "late"};
    ASSERT_TRUE(this->add(ann, device));
    ASSERT_TRUE(this->add(ann,
                          cloud::model::ReleaseRecord{.product = cloud::model::ProductId{1'000},
                                                      .version = 2,
                                                      .groups = {"early"},
                                                      .released_at = contract::kNow}));
    const auto update = [this](auto account, std::string name, const auto& given) {
        return this->template ask<void>(
            [&](auto& store, auto done) { store.update_group(account, name, given, done); });
    };
    EXPECT_EQ(update(bob, "early", group("stolen")).error(), Error::NotFound);
    EXPECT_EQ(update(ann, "none", group("x")).error(), Error::NotFound);
    EXPECT_EQ(update(ann, "early", group("late")).error(), Error::AlreadyExists);
    EXPECT_TRUE(update(ann, "early", group("first")));
    this->fixture.reopen();
    EXPECT_EQ(this->groups(), (std::vector{group("first"), group("late")}));
    EXPECT_EQ(this->devices().at(0).groups, (std::vector<std::string>{"first", "late"}));
    EXPECT_EQ(this->releases().at(0).groups, (std::vector<std::string>{"first"}));
    const auto erase = [this](auto account, std::string name) {
        return this->template ask<void>([&](auto& store, auto done) {
            store.erase_group(account, cloud::model::ProductId{1'000}, name, done);
        });
    };
    EXPECT_EQ(erase(bob, "first").error(), Error::NotFound);
    EXPECT_TRUE(erase(ann, "first"));
    EXPECT_EQ(erase(ann, "first").error(), Error::NotFound);
    EXPECT_EQ(this->devices().at(0).groups, (std::vector<std::string>{"late"}));
    EXPECT_TRUE(this->releases().at(0).groups.empty());
    for (std::size_t i = 1; i < cloud::store::kGroupsPerProductMax; ++i)
        ASSERT_TRUE(this->add(ann, group(std::to_string(i))));
    EXPECT_EQ(this->add(ann, group("more")).error(), Error::NoSpace);
}

TYPED_TEST_P(ProductContract, FirmwareIsOfOneUserAndHasSoMuchRoom) {
    const auto ann = this->ann_;
    const auto bob = this->bob_;
    const auto firmware = [](std::uint16_t product, std::uint16_t version, std::size_t size) {
        return cloud::model::FirmwareRecord{.product = cloud::model::ProductId{product},
                                            .version = version,
                                            .title = "t\u00e4",
                                            .description = "d",
                                            .file_name = "fw.bin",
                                            .size = size,
                                            .uploaded_at = contract::kNow};
    };
    using Image = std::vector<std::uint8_t>;
    EXPECT_TRUE(this->add(ann, firmware(1'000, 2, 3), Image{1, 0, 2}));
    EXPECT_EQ(this->add(ann, firmware(1'000, 2, 3)).error(), Error::AlreadyExists);
    EXPECT_EQ(this->add(bob, firmware(1'000, 3, 3)).error(), Error::NotFound);
    this->fixture.reopen();
    EXPECT_EQ(this->firmware(), std::vector{firmware(1'000, 2, 3)});
    const auto load = [this](auto account, std::uint16_t version) {
        return this->template ask<Image>([&](auto& store, auto done) {
            store.load_firmware(account, cloud::model::ProductId{1'000}, version, done);
        });
    };
    EXPECT_EQ(load(ann, 2).value(), (Image{1, 0, 2}));
    EXPECT_EQ(load(bob, 2).error(), Error::NotFound);
    EXPECT_EQ(load(ann, 3).error(), Error::NotFound);
    auto changed = firmware(1'000, 2, 3);
    changed.title = "other";
    const auto update = [this](auto account, const auto& given) {
        return this->template ask<void>(
            [&](auto& store, auto done) { store.update_firmware(account, given, done); });
    };
    EXPECT_EQ(update(bob, changed).error(), Error::NotFound);
    EXPECT_TRUE(update(ann, changed));
    EXPECT_EQ(this->firmware(), std::vector{changed});
    constexpr std::size_t kAll = cloud::store::kFirmwareBytesPerAccountMax;
    EXPECT_EQ(this->add(ann, firmware(1'000, 3, kAll)).error(), Error::NoSpace);
    EXPECT_TRUE(this->add(bob, firmware(2'000, 3, kAll)));
    const auto erase = [this](auto account, std::uint16_t version) {
        return this->template ask<void>([&](auto& store, auto done) {
            store.erase_firmware(account, cloud::model::ProductId{1'000}, version, done);
        });
    };
    EXPECT_EQ(erase(bob, 2).error(), Error::NotFound);
    EXPECT_TRUE(erase(ann, 2));
    EXPECT_EQ(erase(ann, 2).error(), Error::NotFound);
    for (std::size_t i = 0; i < cloud::store::kFirmwaresPerProductMax; ++i)
        ASSERT_TRUE(this->add(ann, firmware(1'000, static_cast<std::uint16_t>(i), 1)));
    EXPECT_EQ(this->add(ann, firmware(1'000, 999, 1)).error(), Error::NoSpace);
}

TYPED_TEST_P(ProductContract, ReleasesRememberWhatTheyHaveComeToAndTheOldestMakeRoom) {
    using cloud::model::ReleaseRecord;
    const auto ann = this->ann_;
    const auto bob = this->bob_;
    const ReleaseRecord given{.product = cloud::model::ProductId{1'000},
                              .version = 5,
                              .is_default = true,
                              .groups = {"a", "b"},
                              .is_immediate = true,
                              .released_at = contract::kNow};
    EXPECT_EQ(this->add(bob, given).error(), Error::NotFound);
    ReleaseRecord first = this->add(ann, given).value();
    EXPECT_NE(first.id, cloud::model::ReleaseId{});
    const auto update = [this](auto account, const ReleaseRecord& changed) {
        return this->template ask<void>(
            [&](auto& store, auto done) { store.update_release(account, changed, done); });
    };
    first.state = cloud::model::ReleaseState::Stopped;
    first.succeeded = 2;
    first.failed = 3;
    first.recent = "++---";
    first.why = "too bad";
    EXPECT_EQ(update(bob, first).error(), Error::NotFound);
    EXPECT_TRUE(update(ann, first));
    this->fixture.reopen();
    EXPECT_EQ(this->releases(), std::vector{first});
    const auto second = this->add(ann, given).value();
    EXPECT_GT(second.id, first.id);
    for (std::size_t i = 1; i < cloud::store::kReleasesPerProductMax; ++i)
        ASSERT_TRUE(this->add(ann, given));
    EXPECT_EQ(this->releases().size(), cloud::store::kReleasesPerProductMax);
    EXPECT_EQ(this->releases().front(), second);
    EXPECT_EQ(update(ann, first).error(), Error::NotFound);
}

TYPED_TEST_P(ProductContract, ProgramsAreOfOneUserAndFoundByTheirIds) {
    using cloud::model::ClientRecord;
    const auto ann = this->ann_;
    const auto bob = this->bob_;
    const auto client = [](std::string id, auto account) {
        return ClientRecord{.id = std::move(id),
                            .account = account,
                            .product = cloud::model::ProductId{1'000},
                            .name = "n",
                            .type = "web",
                            .redirect_uri = "https://a",
                            .scope = "s",
                            .secret = contract::token_hash(3),
                            .created_at = contract::kNow};
    };
    const auto put = [this](const ClientRecord& given) {
        return this->template ask<void>(
            [&](auto& store, auto done) { store.add_client(given, done); });
    };
    const auto list_of = [this](auto account) {
        return this
            ->template ask<std::vector<ClientRecord>>(
                [&](auto& store, auto done) { store.list_clients(account, done); })
            .value();
    };
    EXPECT_TRUE(put(client("z", ann)));
    EXPECT_TRUE(put(client("b", ann)));
    this->fixture.reopen();
    EXPECT_EQ(list_of(ann), (std::vector{client("z", ann), client("b", ann)}));
    EXPECT_TRUE(list_of(bob).empty());
    const auto find_by = [this](std::string id) {
        return this->template ask<ClientRecord>(
            [&](auto& store, auto done) { store.find_client(id, done); });
    };
    EXPECT_EQ(find_by("b").value(), client("b", ann));
    EXPECT_EQ(find_by("c").error(), Error::NotFound);
    auto changed = client("b", ann);
    changed.name = "m";
    changed.scope = "t";
    const auto update = [this](const ClientRecord& given) {
        return this->template ask<void>(
            [&](auto& store, auto done) { store.update_client(given, done); });
    };
    EXPECT_EQ(update(client("b", bob)).error(), Error::NotFound);
    EXPECT_TRUE(update(changed));
    EXPECT_EQ(find_by("b").value(), changed);
    const auto erase = [this](auto account, std::string id) {
        return this->template ask<void>(
            [&](auto& store, auto done) { store.erase_client(account, id, done); });
    };
    EXPECT_EQ(erase(bob, "b").error(), Error::NotFound);
    EXPECT_TRUE(erase(ann, "b"));
    EXPECT_EQ(erase(ann, "b").error(), Error::NotFound);
    for (std::size_t i = 1; i < cloud::store::kClientsPerAccountMax; ++i)
        ASSERT_TRUE(put(client(std::to_string(i), ann)));
    EXPECT_EQ(put(client("more", ann)).error(), Error::NoSpace);
}

REGISTER_TYPED_TEST_SUITE_P(ProductContract,
                            ProductsAreOfOneAccountAndTheirIdsOfTheCloud,
                            DevicesAreInTheListOfOneProductOfAUser,
                            AListHasRoomForSoManyDevicesAndForSoManyThatNobodyApproved,
                            AGroupThatIsRenamedOrErasedIsSoInItsDevicesAndReleases,
                            FirmwareIsOfOneUserAndHasSoMuchRoom,
                            ReleasesRememberWhatTheyHaveComeToAndTheOldestMakeRoom,
                            ProgramsAreOfOneUserAndFoundByTheirIds);

}  // namespace sotto::testing
