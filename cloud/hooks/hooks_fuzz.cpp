// SPDX-License-Identifier: Apache-2.0
// A definition, the data of an event and what a target answers, with a zero byte between them. What
// is accepted becomes a request that is one request, and events that trigger nothing.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "cloud/hooks/dispatcher.hpp"
#include "core/base/assert.hpp"
#include "core/base/bytes.hpp"

namespace {

using namespace sotto;                // NOLINT(google-build-using-namespace)
using namespace sotto::cloud;         // NOLINT(google-build-using-namespace)
using namespace sotto::cloud::hooks;  // NOLINT(google-build-using-namespace)

std::string_view take(std::string_view& rest) {
    const std::string_view part = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    return part;
}

bool is_line(std::string_view text) {
    return std::ranges::none_of(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

void check(const WebRequest& request) {
    SOTTO_ASSERT(request.target.starts_with('/') && !request.origin.host.empty());
    SOTTO_ASSERT(std::ranges::all_of(request.target, [](char c) { return c > ' ' && c <= '~'; }));
    for (const auto& [name, value] : request.headers) {
        SOTTO_ASSERT(!name.empty() && is_line(name) && is_line(value));
        SOTTO_ASSERT(!is_own_header(name) || name == kMark);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest = as_text(Bytes{data, size});
    const auto given = nlohmann::json::parse(take(rest), nullptr, false);
    const std::string event_data{take(rest)};
    if (given.is_discarded() || !given.is_object()) return 0;
    const auto definition = merge_definition(given, nlohmann::json::object());
    SOTTO_ASSERT(merge_definition(show_definition(definition), definition) == definition);
    Dispatcher dispatcher;
    const model::HookRecord record{
        .account = model::AccountId{1},
        .definition = definition.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace)};
    if (!dispatcher.set_hook(record)) return 0;
    const Instant now{1'000'000'000};
    const auto event = std::make_shared<const services::Event>(
        services::Event{.owner = model::AccountId{1}, .what = {.name = "e", .data = event_data}});
    SOTTO_ASSERT(dispatcher.try_hook(record.account, record.id, event, now));
    while (auto output = dispatcher.next(now)) {
        if (const auto* send = std::get_if<Send>(&*output)) {
            check(send->request);
            dispatcher.on_sent(send->job);
            dispatcher.on_answered(
                send->job, WebResponse{.status = 200, .body = std::string{rest}}, now);
            continue;
        }
        const auto& what = std::get<Say>(*output).what;
        SOTTO_ASSERT(what.cause == services::Cause::OfHook && !what.name.empty());
        SOTTO_ASSERT(what.name.size() <= kTopicSizeMax + 8);
        SOTTO_ASSERT(!what.name.starts_with("spark/") && !what.name.starts_with("particle/"));
    }
    return 0;
}
