// SPDX-License-Identifier: Apache-2.0
// Letters: for apps that are away, and from the mailboxes to those who came back.
#include "cloud/services/router.hpp"
#include "cloud/services/sealed.hpp"

namespace sotto::cloud::services {

using model::Mailbox;

void Router::store_for_app(const Link& link, const model::AppAddress& app, Bytes message) {
    const bool is_kept = link.phase == Phase::Attached && is_sealed(message);
    const Duration life =
        is_kept ? kAppLetterLife : std::min(kStrangerLetterLife, kUnsealedLetterLife);
    model::Letter letter{.to = model::MailboxKind::App,
                         .device = link.device,
                         .app = app,
                         .stored_at = now_,
                         .expires_at = now_ + life,
                         .message = {message.begin(), message.end()}};
    store_.put(std::move(letter),
               {.mailbox = store::kAppMailbox},
               guarded([this, device = link.device, app](Result<model::Sequence> put) {
                   (put ? counters_.stored : counters_.dropped_from_device)++;
                   if (!put) note({.what = Happening::Dropped, .device = device, .app = app});
               }));
}

namespace {

// Views into the letter.
framing::channel::Record record_of(const model::StoredLetter& stored) {
    const framing::channel::Sequence sequence{stored.sequence.value()};
    const model::Letter& letter = stored.letter;
    if (letter.kind == model::LetterKind::Message) {
        return framing::channel::Deliver{
            .sequence = sequence, .device_id = letter.device, .message = letter.message};
    }
    return framing::channel::Notice{.sequence = sequence,
                                    .device_id = letter.device,
                                    .reference = framing::channel::Reference{letter.reference},
                                    .fate = letter.kind == model::LetterKind::Expired
                                                ? framing::channel::Fate::Expired
                                                : framing::channel::Fate::Dropped};
}

}  // namespace

void Router::list_for_app(AppConnectionId id) {
    App* app = find_app(id);
    if (app == nullptr || app->is_closed) return;
    if (app->is_listing) {
        app->has_news = true;  // it may have come behind what is being listed
        return;
    }
    app->is_listing = true;
    app->has_failed = false;
    store_.list(Mailbox::of_app(app->address),
                app->last_delivered,
                kLettersPerPage,
                now_,
                guarded([this, id](Result<std::vector<model::StoredLetter>> letters) {
                    on_app_letters(id, std::move(letters));
                }));
}

void Router::on_app_letters(AppConnectionId id, Result<std::vector<model::StoredLetter>> letters) {
    App* app = find_app(id);
    if (app == nullptr) return;
    app->is_listing = false;
    app->has_failed = !letters;
    if (!letters) return;
    app->may_have_more = letters->size() == kLettersPerPage;
    counters_.letters_to_app += letters->size();
    for (const model::StoredLetter& stored : *letters) {
        app->last_delivered = stored.sequence;
        send_to_app(id, record_of(stored));
    }
    if (!app->may_have_more) {
        send_to_app(
            id,
            framing::channel::CaughtUp{framing::channel::Sequence{app->last_delivered.value()}});
    }
    if (std::exchange(app->has_news, false) && !app->may_have_more) list_for_app(id);
}

// Sequences rise over all mailboxes and connections, so what an app acknowledges late is still
// right; by what it never got it harms only itself.
void Router::on_ack(AppConnectionId id, model::Sequence sequence) {
    App& app = *find_app(id);
    // What an error leaves is delivered and acknowledged again.
    store_.erase(Mailbox::of_app(app.address), sequence, [](const auto&) {});
    if (app.may_have_more && sequence >= app.last_delivered) list_for_app(id);
}

// Sends letters as far as credit goes. They never use the queue of the link: the store is one.
void Router::pump_mail(Link& link) {
    if (link.phase != Phase::Attached || link.mail.is_busy) return;
    while (!link.mail.page.empty() && link.flow.can_send()) {
        if (!send_letter(link)) return;
    }
    if (link.mail.page.empty() && link.mail.may_have_more) list_for_link(link);
}

void Router::list_for_link(Link& link) {
    link.mail.is_busy = true;
    store_.list(Mailbox::of_device(link.device),
                link.mail.last,
                kLettersPerPage,
                now_,
                guarded([this, key = link.key](Result<std::vector<model::StoredLetter>> letters) {
                    on_link_letters(key, std::move(letters));
                }));
}

void Router::on_link_letters(LinkKey key, Result<std::vector<model::StoredLetter>> letters) {
    Link* link = find_link(key);
    if (link == nullptr || link->phase != Phase::Attached) return;
    LinkMail& mail = link->mail;
    mail.is_busy = false;
    if (!letters) return;  // on_time() asks again
    mail.may_have_more = letters->size() == kLettersPerPage;
    for (model::StoredLetter& stored : *letters) {
        if (stored.sequence <= mail.last) continue;  // asked for before a new attach
        mail.last = stored.sequence;
        mail.page.push_back(std::move(stored));
    }
    pump_mail(*link);
}

// False if the label of the sender has to be asked for first.
bool Router::send_letter(Link& link) {
    LinkMail& mail = link.mail;
    const model::StoredLetter& stored = mail.page.front();
    DeviceEntry& entry = devices_.at(link.device);
    const auto label = entry.label_of.find(stored.letter.app);
    if (label == entry.label_of.end()) {
        mail.is_busy = true;
        const model::AppAddress app = stored.letter.app;
        store_.allocate_label(
            link.device, app, guarded([this, key = link.key, app](Result<model::Label> allocated) {
                Link* waiting = find_link(key);
                if (waiting == nullptr || waiting->phase != Phase::Attached) return;
                waiting->mail.is_busy = false;
                if (!allocated) return;  // on_time() asks again
                learn_label(devices_.at(waiting->device), *allocated, app);
                pump_mail(*waiting);
            }));
        return false;
    }
    if (stored.letter.expires_at > now_) {  // otherwise purge() tells its sender
        link.flow.count_sent();
        counters_.relayed_to_device++;
        counters_.letters_to_device++;
        write_to_link(link, framing::Label{label->second.value()}, stored.letter.message);
        mail.on_their_way.emplace_back(link.flow.sent_count(), stored.sequence);
    }
    mail.page.pop_front();
    return true;
}

// Credit says that a message was passed on to the device; only then its letter goes.
void Router::erase_passed_letters(Link& link) {
    auto& letters = link.mail.on_their_way;
    std::vector<model::Sequence> passed;
    while (!letters.empty() && letters.front().first <= link.flow.passed_count()) {
        passed.push_back(letters.front().second);
        letters.pop_front();
    }
    if (passed.empty()) return;
    // What an error leaves is sent again after the next attach, and refused by the device as old.
    store_.erase_each(Mailbox::of_device(link.device), std::move(passed), [](const auto&) {});
}

// Erases what has expired, oldest first, and tells the senders who are here.
void Router::purge(std::function<void(std::size_t)> then) {
    store_.purge(now_, guarded([this, then = std::move(then)](Result<model::Purged> purged) {
                     if (purged) on_purged(*purged);
                     then(purged ? purged->count : 0);  // what failed now is done the next time
                 }));
}

void Router::on_purged(const model::Purged& purged) {
    counters_.expired += purged.count;
    for (const model::AppAddress& app : purged.told) {
        const auto connected = app_at_.find(app);
        if (connected != app_at_.end()) list_for_app(connected->second);
    }
    if (purged.count == store::kPurgeCountMax) purge_at_ = now_;  // there may be more
}

}  // namespace sotto::cloud::services
