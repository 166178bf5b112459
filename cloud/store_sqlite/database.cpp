// SPDX-License-Identifier: Apache-2.0
#include "cloud/store_sqlite/database.hpp"

#include <algorithm>
#include <filesystem>

#include "core/base/assert.hpp"
#include "core/base/secret.hpp"

namespace sotto::cloud::store_sqlite {

Error to_error(int code) {
    const int primary = code & 0xff;
    if (primary == SQLITE_BUSY || primary == SQLITE_LOCKED) return Error::Busy;
    if (primary == SQLITE_CORRUPT || primary == SQLITE_NOTADB) return Error::Malformed;
    return Error::StorageFailed;
}

Query::~Query() {
    if (statement_ == nullptr) return;
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
}

Query& Query::bind(std::int64_t value) {
    if (code_ == SQLITE_OK) code_ = sqlite3_bind_int64(statement_, next_++, value);
    return *this;
}

Query& Query::bind(Bytes value) {
    static constexpr std::uint8_t kEmpty = 0;  // a null pointer would bind NULL
    const std::uint8_t* data = value.empty() ? &kEmpty : value.data();
    if (code_ == SQLITE_OK) {
        code_ = sqlite3_bind_blob64(statement_, next_++, data, value.size(), SQLITE_STATIC);
    }
    return *this;
}

Query& Query::bind(std::string_view value) {
    if (code_ == SQLITE_OK) {
        const char* data = value.empty() ? "" : value.data();
        code_ = sqlite3_bind_text64(
            statement_, next_++, data, value.size(), SQLITE_STATIC, SQLITE_UTF8);
    }
    return *this;
}

Result<bool> Query::step() {
    if (code_ == SQLITE_OK) code_ = sqlite3_step(statement_);
    if (code_ == SQLITE_DONE) return false;
    if (code_ != SQLITE_ROW) return to_error(code_);
    code_ = SQLITE_OK;
    return true;
}

Status Query::run() {
    SOTTO_TRY_ASSIGN(const bool has_row, step());
    SOTTO_ASSERT(!has_row);
    return {};
}

Bytes Query::blob(int column) const {
    const void* data = sqlite3_column_blob(statement_, column);
    const int size = sqlite3_column_bytes(statement_, column);
    return {static_cast<const std::uint8_t*>(data), static_cast<std::size_t>(size)};
}

namespace {

Failure open_failure(int code, const std::string& path, Database::Mode mode) {
    if (mode == Database::Mode::Create) {
        return {.code = to_error(code),
                .detail = "cannot create " + path + ": is the folder writable?"};
    }
    if (!std::filesystem::exists(path)) {
        return {.code = Error::NotFound, .detail = "there is no database " + path};
    }
    return {.code = to_error(code), .detail = "cannot open " + path + ": may this user write it?"};
}

int flags_of(Database::Mode mode) {
    if (mode == Database::Mode::OpenToRead) return SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    if (mode == Database::Mode::Create) flags |= SQLITE_OPEN_CREATE;
    if (mode == Database::Mode::InMemory) flags |= SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY;
    return flags;
}

}  // namespace

Result<std::unique_ptr<Database>, Failure> Database::open(const std::string& path,
                                                          Mode mode,
                                                          Duration busy_timeout) {
    if (mode == Mode::Create && std::filesystem::exists(path)) {
        return Failure{.code = Error::AlreadyExists, .detail = path + " exists already"};
    }
    sqlite3* connection = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &connection, flags_of(mode), nullptr);
    std::unique_ptr<Database> database{new Database{connection}};
    if (code != SQLITE_OK) return open_failure(code, path, mode);
    sqlite3_extended_result_codes(connection, 1);
    sqlite3_busy_timeout(connection, static_cast<int>(busy_timeout.ms));
    return database;
}

Database::~Database() {
    for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
    const int code = sqlite3_close(connection_);
    SOTTO_ASSERT(code == SQLITE_OK);
}

Query Database::query(const char* sql) {
    sqlite3_stmt*& statement = statements_[sql];
    if (statement == nullptr) {
        const int code = sqlite3_prepare_v3(
            connection_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
        // Only a statement that does not fit the schema fails here; reading the schema itself can
        // fail on a damaged file, which step() would then say.
        if (code != SQLITE_OK) statement = nullptr;
    }
    return Query{statement};
}

Status Database::execute(const std::string& sql) {
    const int code = sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return to_error(code);
    return {};
}

Result<std::string> Database::text_of(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    const int prepared = sqlite3_prepare_v2(connection_, sql.c_str(), -1, &statement, nullptr);
    const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> guard{statement, sqlite3_finalize};
    if (prepared != SQLITE_OK) return to_error(prepared);
    const int code = sqlite3_step(statement);
    if (code == SQLITE_DONE) return Error::NotFound;
    if (code != SQLITE_ROW) return to_error(code);
    const int size = sqlite3_column_bytes(statement, 0);
    const auto* data = static_cast<const char*>(sqlite3_column_blob(statement, 0));
    return std::string{data == nullptr ? "" : data, static_cast<std::size_t>(size)};
}

Status Database::copy_to(Database& target) {
    sqlite3_backup* backup = sqlite3_backup_init(target.connection_, "main", connection_, "main");
    if (backup == nullptr) return to_error(sqlite3_errcode(target.connection_));
    const int stepped = sqlite3_backup_step(backup, -1);  // in one transaction
    const int finished = sqlite3_backup_finish(backup);
    if (stepped != SQLITE_DONE) return to_error(stepped);
    if (finished != SQLITE_OK) return to_error(finished);
    return {};
}

Result<std::vector<std::uint8_t>> Database::serialize() {
    sqlite3_int64 size = 0;
    const std::unique_ptr<std::uint8_t, void (*)(void*)> bytes{
        sqlite3_serialize(connection_, "main", &size, 0), sqlite3_free};
    if (bytes == nullptr) return Error::StorageFailed;
    std::vector<std::uint8_t> file(bytes.get(), bytes.get() + size);
    wipe({bytes.get(), static_cast<std::size_t>(size)});
    return file;
}

Status Database::deserialize(Bytes file) {
    auto* bytes = static_cast<std::uint8_t*>(sqlite3_malloc64(file.size()));
    if (bytes == nullptr) return Error::StorageFailed;
    std::copy(file.begin(), file.end(), bytes);
    // The bytes are the connection's now, also if this fails.
    const auto size = static_cast<sqlite3_int64>(file.size());
    const int code =
        sqlite3_deserialize(connection_,
                            "main",
                            bytes,
                            size,
                            size,
                            SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_RESIZEABLE);
    if (code != SQLITE_OK) return to_error(code);
    return {};
}

}  // namespace sotto::cloud::store_sqlite
