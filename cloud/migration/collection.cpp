// SPDX-License-Identifier: Apache-2.0
#include "cloud/migration/collection.hpp"

#include <algorithm>
#include <optional>
#include <unordered_map>

#include "cloud/migration/limits.hpp"

namespace sotto::cloud::migration {

using nlohmann::json;

namespace {

// A document, or a statement about an index; nothing: neither.
std::optional<json> parse_line(std::string_view line) {
    if (line.size() > kDocumentSizeMax) return std::nullopt;
    bool is_too_deep = false;
    json document = json::parse(
        line.begin(),
        line.end(),
        [&is_too_deep](int depth, json::parse_event_t, const json&) {
            is_too_deep = is_too_deep || depth > kDocumentDepthMax;
            return !is_too_deep;
        },
        false);
    if (is_too_deep || document.is_discarded() || !document.is_object()) return std::nullopt;
    const bool is_of_index =
        document.contains("$$indexCreated") || document.contains("$$indexRemoved");
    if (!is_of_index && text_in(document, "_id").empty()) return std::nullopt;
    return document;
}

class Reader {
  public:
    void take(json document) {
        const std::string id = text_in(document, "_id");
        if (id.empty()) return;  // about an index
        const auto known = places_.find(id);
        if (document.value("$$deleted", json()) == true) {
            if (known == places_.end()) return;
            documents_[known->second] = nullptr;
            places_.erase(known);
        } else if (known != places_.end()) {
            documents_[known->second] = std::move(document);
        } else {
            places_.emplace(id, documents_.size());
            documents_.push_back(std::move(document));
        }
    }
    std::size_t count() const { return places_.size(); }
    std::vector<json> documents() && {
        std::erase_if(documents_, [](const json& document) { return document.is_null(); });
        return std::move(documents_);
    }

  private:
    std::vector<json> documents_;
    std::unordered_map<std::string, std::size_t> places_;
};

}  // namespace

Result<Collection, Complaint> read_collection(std::string_view file) {
    if (file.size() > kCollectionSizeMax)
        return Complaint{
            "it is larger than 256 MiB: start that server once, which makes its files "
            "small, and stop it"};
    Reader reader;
    Collection collection;
    std::size_t line_count = 0;
    while (!file.empty()) {
        const std::size_t end = file.find('\n');
        const std::string_view line = file.substr(0, end);
        const bool is_ended = end != std::string_view::npos;
        file.remove_prefix(is_ended ? end + 1 : file.size());
        if (line.empty()) continue;
        ++line_count;
        if (auto document = parse_line(line)) {
            reader.take(*std::move(document));
        } else {
            ++collection.damaged_count;
            collection.is_cut = file.empty();
        }
        if (reader.count() > kDocumentsMax) return Complaint{"it has more than 65,536 documents"};
    }
    // The last line is broken by every power cut.
    const std::size_t damaged = collection.damaged_count - (collection.is_cut ? 1 : 0);
    if (damaged * kLinesPerDamagedLine > line_count)
        return Complaint{"more than a tenth of its lines are damaged; put back a copy of it"};
    collection.documents = std::move(reader).documents();
    return collection;
}

std::string text_in(const json& document, const char* name) {
    const auto found = document.find(name);
    return found != document.end() && found->is_string() ? found->get<std::string>() : "";
}

std::int64_t date_in(const json& document, const char* name) {
    auto found = document.find(name);
    if (found == document.end()) return 0;
    const json value = found->is_object() ? found->value("$$date", json()) : *found;
    if (!value.is_number_integer() ||
        (value.is_number_unsigned() && value.get<std::uint64_t>() > std::uint64_t{INT64_MAX}))
        return 0;
    return std::max<std::int64_t>(value.get<std::int64_t>(), 0);
}

}  // namespace sotto::cloud::migration
