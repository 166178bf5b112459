// SPDX-License-Identifier: Apache-2.0
// What things are called in GATT (docs/protocol/air.md, bluz.md) and in the D-Bus API of BlueZ.
#pragma once

namespace sotto::air::bluez {

// A service and its two characteristics, as BlueZ writes them.
struct ServiceUuids {
    const char* service;
    const char* from_device;  // notified
    const char* to_device;    // written without response
};
inline constexpr ServiceUuids kSottoUuids{"2b50c023-e281-4845-9112-345f800e3419",
                                          "2b50c024-e281-4845-9112-345f800e3419",
                                          "2b50c025-e281-4845-9112-345f800e3419"};
inline constexpr ServiceUuids kBluzUuids{"871e0223-38ff-77b1-ed41-9fb3aa142db2",
                                         "871e0224-38ff-77b1-ed41-9fb3aa142db2",
                                         "871e0225-38ff-77b1-ed41-9fb3aa142db2"};

// What bluz boards call themselves, and by which some gateways choose.
inline constexpr const char* kBluzName = "Bluz DK";

inline constexpr const char* kBluez = "org.bluez";
inline constexpr const char* kAdapter = "org.bluez.Adapter1";
inline constexpr const char* kDevice = "org.bluez.Device1";
inline constexpr const char* kGattService = "org.bluez.GattService1";
inline constexpr const char* kCharacteristic = "org.bluez.GattCharacteristic1";
inline constexpr const char* kGattManager = "org.bluez.GattManager1";
inline constexpr const char* kAdvertisingManager = "org.bluez.LEAdvertisingManager1";
inline constexpr const char* kAdvertisement = "org.bluez.LEAdvertisement1";
inline constexpr const char* kProperties = "org.freedesktop.DBus.Properties";
inline constexpr const char* kObjectManager = "org.freedesktop.DBus.ObjectManager";

}  // namespace sotto::air::bluez
