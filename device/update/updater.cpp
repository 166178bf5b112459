// SPDX-License-Identifier: Apache-2.0
#include "device/update/updater.hpp"

#include "core/cbor/reader.hpp"
#include "core/cbor/writer.hpp"
#include "core/session/server.hpp"

namespace sotto::update {
namespace {

using coap::Code;
using session::Exchange;

// A refusal with its reason, in words that the app can show.
Code refuse(Exchange& exchange, Code code, std::string_view why) {
    exchange.answer.show(session::Format::Text, as_bytes(why));
    return code;
}

struct Piece {
    std::uint32_t offset = 0;
    Bytes bytes;
};

// [offset, bytes]
Result<Piece> read_piece(Bytes payload) {
    cbor::Reader in{payload};
    in.require(in.array() == 2);
    const std::uint64_t offset = in.uint();
    in.require(offset <= boot::kSlotSize);
    const Bytes bytes = in.bytes();
    if (const Status read = in.finish(); !read) return read.error();
    return Piece{.offset = static_cast<std::uint32_t>(offset), .bytes = bytes};
}

// What goes wrong, and what is said of it. The last row is for everything else.
struct Refusal {
    Error error;
    Code code;
    std::string_view why;
};
constexpr Refusal kOfManifests[] = {
    {Error::Unauthenticated, Code::Forbidden, "it is not signed by this device's publisher"},
    {Error::Unsupported, Code::BadRequest, "its format is not known to this device"},
    {Error::Malformed, Code::BadRequest, "it has no manifest"},
};
constexpr Refusal kOfImages[] = {
    {Error::NotFound, Code::Conflict, "no update has been begun"},
    {Error::WrongState, Code::RequestEntityIncomplete, "bytes before it are missing"},
    {Error::InvalidArgument, Code::BadRequest, "it is no part of the image"},
    {Error::Truncated, Code::RequestEntityIncomplete, "bytes of it are missing"},
    {Error::Malformed, Code::BadRequest, "the image is not the one that was signed"},
    {Error::TooLarge, Code::RequestEntityTooLarge, "it does not fit this device"},
    {Error::StorageFailed, Code::InternalServerError, "the flash cannot be written"},
};

Code refuse(Exchange& exchange, std::span<const Refusal> table, Error error) {
    std::size_t row = 0;
    while (row + 1 < table.size() && table[row].error != error) ++row;
    return refuse(exchange, table[row].code, table[row].why);
}

}  // namespace

Updater::Updater(const Setup& setup)
    : Part(kPlace),
      setup_(setup),
      intake_(
          {.storage = setup.storage, .target = setup.target, .slot = boot::other(setup.running)}) {}

void Updater::start(session::Moment now) {
    started_ = now;
    const boot::State state = setup_.journal.state();
    is_on_trial_ = state.is_on_trial && state.active != setup_.running;
    // During a trial the other slot holds the image to go back to.
    if (!is_on_trial_) intake_.start();
}

// [SES-116] It works: its owner came through. If that cannot be stored, the next request tries.
void Updater::hear(const Exchange& exchange) {
    if (!is_on_trial_ || exchange.entry.role != session::Role::Owner) return;
    is_on_trial_ = !boot::confirm(setup_.journal).has_value();
}

void Updater::poll(session::Server&, session::Moment now) {
    if (is_on_trial_ && session::has_passed(started_, kTrialLifetime, now)) {  // [SES-117]
        // Should that fail, the restart counts as one of its boots.
        (void)boot::give_up(setup_.journal, boot::Outcome::Time).has_value();
        wants_restart_ = true;
    }
    if (restart_at_ && now >= *restart_at_) wants_restart_ = true;
}

Code Updater::handle(session::Server& server, Exchange& exchange) {
    const Code method = exchange.body().code;
    if (method == Code::Get) return show(exchange, server.setup().result);
    if (method == Code::Put || method == Code::Post) return change(server, exchange);
    return Code::MethodNotAllowed;
}

Code Updater::change(session::Server& server, Exchange& exchange) {
    const coap::Body& body = exchange.body();
    if (is_on_trial_ || restart_at_) return Code::ServiceUnavailable;
    const bool is_put = body.code == Code::Put;
    if (is_put && cbor::Reader{body.payload}.next_is(cbor::Kind::Array))
        return take_piece(server, exchange);
    if (const Code refusal = server.admit(exchange); refusal != Code::Empty) return refusal;
    return server.keep_result(exchange,
                              is_put ? begin(exchange, server.setup().result) : install(exchange));
}

// [SES-113] Pieces do no harm if they come twice, and are many: nothing is stored of each.
Code Updater::take_piece(session::Server& server, Exchange& exchange) {
    const auto piece = read_piece(exchange.body().payload);
    if (!piece) return refuse(exchange, kOfImages, Error::InvalidArgument);
    if (const Code refusal = server.admit(exchange, true); refusal != Code::Empty) return refusal;
    exchange.answer.brings_echo = true;
    exchange.answer.was_executed = true;
    const Status taken = intake_.take(piece->offset, piece->bytes);
    return taken ? Code::Changed : refuse(exchange, kOfImages, taken.error());
}

// [SES-111] [SES-112] Whatever is refused is refused before anything is erased.
Code Updater::begin(Exchange& exchange, MutBytes result) {
    const auto publisher = load_publisher(setup_.storage);
    if (!publisher)
        return refuse(exchange, Code::Forbidden, "this device has no publisher and takes none");
    const auto manifest = open_manifest(exchange.body().payload, *publisher);
    if (!manifest) return refuse(exchange, kOfManifests, manifest.error());
    if (manifest->hardware != setup_.hardware)
        return refuse(exchange, Code::Conflict, "it is for other hardware");
    if (manifest->version <= setup_.version)
        return refuse(exchange, Code::Conflict, "its version is not above the one that runs");
    const auto slot = static_cast<std::size_t>(boot::other(setup_.running));
    const Status begun = intake_.begin(manifest->version, manifest->images[slot]);
    if (!begun) return refuse(exchange, kOfImages, begun.error());
    const Code code = show(exchange, result);
    return code == Code::Content ? Code::Changed : code;
}

// [SES-114] [SES-115]
Code Updater::install(Exchange& exchange) {
    Status done = intake_.check();
    if (done) done = boot::install(setup_.journal);
    if (!done) return refuse(exchange, kOfImages, done.error());
    restart_at_ = exchange.when() + kRestartDelay;
    return Code::Changed;
}

// [SES-110]
Code Updater::show(Exchange& exchange, MutBytes result) const {
    const bool is_under_way = intake_.size() != 0;
    cbor::Writer writer{result};
    writer.map(is_under_way ? 7 : 4);
    writer.uint(1).text(setup_.hardware).uint(2).uint(setup_.version);
    writer.uint(3).uint(static_cast<std::uint8_t>(setup_.running));
    writer.uint(4).uint(static_cast<std::uint8_t>(setup_.journal.state().outcome));
    if (is_under_way) {
        writer.uint(5).uint(intake_.version()).uint(6).uint(intake_.size());
        writer.uint(7).uint(intake_.taken());
    }
    return session::Server::show_cbor(exchange, writer.finish());
}

}  // namespace sotto::update
