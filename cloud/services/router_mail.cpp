// SPDX-License-Identifier: Apache-2.0
// Letters: for apps that are away, and from the mailboxes to those who came back.
#include "cloud/services/router.hpp"

namespace sotto::cloud::services {

using model::Mailbox;

void Router::store_for_app(const Link& link, const model::AppAddress& app, Bytes message) {
    const Duration life = link.phase == Phase::Attached ? kAppLetterLife : kStrangerLetterLife;
    model::Letter letter{.to = model::MailboxKind::App,
                         .device = link.device,
                         .app = app,
                         .stored_at = now_,
                         .expires_at = now_ + life,
                         .message = {message.begin(), message.end()}};
    store_.put(std::move(letter),
               kAppMailbox,
               guarded([this, device = link.device, app](Result<model::Sequence> put) {
                   (put ? counters_.stored : counters_.dropped_from_device)++;
                   if (!put) note({.what = Happening::Dropped, .device = device, .app = app});
               }));
}

void Router::list_for_app(AppConnectionId id) {
    App* app = find_app(id);
    if (app == nullptr || app->is_closed || app->is_listing) return;
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
        send_to_app(id,
                    framing::channel::Deliver{
                        .sequence = framing::channel::Sequence{stored.sequence.value()},
                        .device_id = stored.letter.device,
                        .message = stored.letter.message});
    }
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
    if (stored.letter.expires_at > now_) {
        link.flow.count_sent();
        counters_.relayed_to_device++;
        counters_.letters_to_device++;
        write_to_link(link, framing::Label{label->second.value()}, stored.letter.message);
    }
    mail.on_their_way.emplace_back(link.flow.sent_count(), stored.sequence);
    mail.page.pop_front();
    return true;
}

// Credit says that a message was passed on to the device; only then its letter goes.
void Router::erase_passed_letters(Link& link) {
    auto& letters = link.mail.on_their_way;
    std::optional<model::Sequence> last;
    while (!letters.empty() && letters.front().first <= link.flow.passed_count()) {
        last = letters.front().second;
        letters.pop_front();
    }
    // What an error leaves is sent again after the next attach, and refused by the device as old.
    if (last) store_.erase(Mailbox::of_device(link.device), *last, [](const auto&) {});
}

}  // namespace sotto::cloud::services
