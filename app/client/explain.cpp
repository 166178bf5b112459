// SPDX-License-Identifier: Apache-2.0
#include "app/client/explain.hpp"

namespace sotto::app {
namespace {

std::string text_of(const Subject& subject) {
    return subject.name.empty() ? subject.kind : subject.kind + " \"" + subject.name + "\"";
}

std::string number_of(coap::Code code) {
    const std::string detail = std::to_string(coap::code_detail(code));
    return std::to_string(coap::code_class(code)) + (detail.size() == 1 ? ".0" : ".") + detail;
}

struct Words {
    coap::Code code;
    const char* what;  // behind the subject
    const char* next;
};

constexpr Words kWords[] = {
    {coap::Code::BadRequest,
     "was refused: the device does not take this argument",
     "See the manual of the device for what it takes"},
    {coap::Code::Unauthorized,
     "was refused: the device does not know this app any more",
     "Pair again: sotto pair CODE"},
    {coap::Code::Forbidden,
     "is not for this app",
     "The owner of the device decides who may use it"},
    {coap::Code::NotFound, "does not exist on this device", "See what it offers: sotto get DEVICE"},
    {coap::Code::MethodNotAllowed,
     "cannot be used like this",
     "Functions are called, variables are read, events are watched"},
    {coap::Code::NotAcceptable, "has no text form", "Ask for it as CBOR, with sotto coap --cbor"},
    {coap::Code::Conflict,
     "was overtaken by a later command and not run",
     "Look at the device's state and decide anew"},
    {coap::Code::RequestEntityIncomplete,
     "was not run: the device has lost a part of the argument",
     "Try again"},
    {coap::Code::RequestEntityTooLarge, "got a longer argument than the device takes", "Send less"},
    {coap::Code::UnsupportedContentFormat,
     "does not take an argument of this kind",
     "Send it as text"},
    {coap::Code::TooManyRequests, "was asked for too often", "Wait a few seconds, then try again"},
    {coap::Code::InternalServerError,
     "failed on the device; it was not run, or reports its failure",
     "Try again; if it stays so, its storage may be full or broken: make room, or switch it off "
     "and on"},
    {coap::Code::ServiceUnavailable,
     "is not available: the device is busy",
     "Try again in a few seconds"},
};

}  // namespace

Failure explain(coap::Code code, const Subject& subject) {
    for (const Words& words : kWords) {
        if (words.code == code)
            return {Trouble::Refused, text_of(subject) + " " + words.what, words.next};
    }
    return {Trouble::Refused,
            text_of(subject) + " was refused with the code " + number_of(code),
            "See RFC 7252, section 5.9, for what the code means"};
}

Failure explain(session::PairingVerdict verdict) {
    using session::PairingVerdict;
    switch (verdict) {
        case PairingVerdict::Accepted:
        case PairingVerdict::NotPermitted:
            break;
        case PairingVerdict::OtherOwner:
            return {
                Trouble::Refused,
                "the device has another owner",
                "If it is yours, reset it by its button, then pair again with the code it shows"};
        case PairingVerdict::PressButton:
            return {Trouble::Refused,
                    "the device wants its button pressed first",
                    "Press the button on the device, then pair again within 2 minutes"};
        case PairingVerdict::TryAgain:
            return {Trouble::Refused, "the device could not store its new owner", "Try again"};
        case PairingVerdict::TimeUnknown:  // said to tokens
        case PairingVerdict::TokenOver:
            break;
    }
    return {Trouble::NotTheDevice,
            "the device does not accept this code",
            "Read the code again: a reset gives a device with a screen a new one"};
}

Failure explain(session::Reason reason) {
    using session::Reason;
    switch (reason) {
        case Reason::Silence:
            break;
        case Reason::NotTheDevice:
            return {Trouble::NotTheDevice,
                    "another device answered, with a key that is not the expected one",
                    "Check the code; if it is right, somebody between you and the device is "
                    "changing messages"};
        case Reason::NotAdmitted:
            return {Trouble::Refused,
                    "the device does not let this app in",
                    "If it is yours and was reset, pair again: sotto pair CODE. A guest needs an "
                    "invitation for his own key: sotto key"};
        case Reason::TimeUnknown:
            return {Trouble::Refused,
                    "the device does not know the time, so it cannot tell whether your invitation "
                    "still holds",
                    "Its owner's app tells it the time with any command: ask for one, then try "
                    "again"};
        case Reason::TokenOver:
            return {Trouble::Refused,
                    "your invitation to this device has ended, or its owner has taken it back",
                    "Ask the owner for another one: sotto share"};
        case Reason::NotExecuted:
            return {Trouble::Unreachable,
                    "no answer came; the device says that it did not run this, and never will",
                    "Give the command again"};
        case Reason::OutcomeUnknown:
            return {Trouble::OutcomeUnknown,
                    "no answer came; the command may have run, once",
                    "Look at the device's state before you repeat it"};
        case Reason::NoSession:
            return {Trouble::Unreachable,
                    "the device, or somebody in its place, refuses every session; nothing was run",
                    "Try again later, or nearby with --local"};
        case Reason::OwnState:
            return {Trouble::State,
                    "the app's own records cannot be written, or there are no random numbers",
                    "Check the disk that the state folder is on"};
        case Reason::NotWhole:
            return {Trouble::Refused,
                    "the answer changes again and again while it is read, or is too large",
                    "Try again when the device is quiet"};
    }
    return {Trouble::Unreachable,
            "the device does not answer; nothing was run",
            "Check that it is switched on and in reach"};
}

}  // namespace sotto::app
