// SPDX-License-Identifier: Apache-2.0
#include "app/cli/way.hpp"

#include "app/transport/air_transport.hpp"

namespace sotto::app {

Outcome<CloudLogin> login_of(const Account& account) {
    auto url = parse_cloud_url(account.url);
    if (!url)
        return Failure{
            Trouble::SignIn, "the stored login is damaged", "Sign in again: sotto login URL"};
    CloudLogin login{*url, account.token, account.allow_clear};
    if (account.pin) login.pin = ports::Fingerprint{*account.pin};
    return login;
}

Outcome<std::unique_ptr<Way>> Way::open(const Job& job,
                                        const Home& home,
                                        DeviceStorage& storage,
                                        const framing::DeviceId& device_id) {
    if (job.settings.is_local) {
        std::unique_ptr<Way> way{new Way};
        SOTTO_TRY_ASSIGN(std::optional<session::TagKey> key, home.tag_key_of(device_id));
        air::Central& central =
            way->nearby_.emplace(way->loop_, job.settings, Recognition::of_device(std::move(key)))
                .central();
        SOTTO_TRY_ASSIGN(
            way->transport_,
            AirTransport::connect({way->loop_, central}, device_id, job.settings.patience));
        return way;
    }
    SOTTO_TRY_ASSIGN(const std::optional<Account> account, home.account_of(device_id));
    if (!account)
        return Failure{Trouble::SignIn,
                       "no cloud is known here",
                       "Sign in: sotto login URL. Or add --local to talk to a device nearby"};
    return through_cloud(job, *account, storage, device_id);
}

Outcome<std::unique_ptr<Way>> Way::through_cloud(const Job& job,
                                                 const Account& account,
                                                 DeviceStorage& storage,
                                                 const framing::DeviceId& device_id) {
    std::unique_ptr<Way> way{new Way};
    SOTTO_TRY_ASSIGN(const CloudLogin login, login_of(account));
    SOTTO_TRY_ASSIGN(const AppId app_id, app_id_of(storage, job.entropy));
    SOTTO_TRY_ASSIGN(way->transport_,
                     CloudTransport::connect(login, app_id, device_id, job.settings.patience));
    return way;
}

}  // namespace sotto::app
