// SPDX-License-Identifier: Apache-2.0
// SQLite, held safely: one connection, its prepared statements, and the answers as Results.
// Allocates; blocks on the disk and, up to the busy timeout, on other programs. For one thread at
// a time.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <sqlite3.h>

#include "core/base/bytes.hpp"
#include "core/base/result.hpp"
#include "core/base/time.hpp"

namespace sotto::cloud::store_sqlite {

// What kept a database from being opened, for people.
struct Failure {
    Error code = Error::StorageFailed;
    std::string detail;
};

// One run of a prepared statement: bind from the left, step, read columns. Bound bytes must live
// until the last step. A failed bind shows at the next step.
class Query {
  public:
    explicit Query(sqlite3_stmt* statement) : statement_(statement) {}
    Query(const Query&) = delete;
    Query& operator=(const Query&) = delete;
    ~Query();

    Query& bind(std::int64_t value);
    Query& bind(Bytes value);
    Query& bind(std::string_view value);
    Query& bind(Instant value) { return bind(value.ms); }

    // True if there is a row. Error::Busy, Error::Malformed (damaged), Error::StorageFailed.
    Result<bool> step();
    // For statements that answer no rows.
    Status run();

    std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
    bool is_null(int column) const {
        return sqlite3_column_type(statement_, column) == SQLITE_NULL;
    }
    // Valid until the next step.
    Bytes blob(int column) const;
    std::string_view text(int column) const { return as_text(blob(column)); }

  private:
    sqlite3_stmt* statement_;
    int next_ = 1;
    int code_ = SQLITE_OK;
};

class Database {
  public:
    enum class Mode : std::uint8_t { Open, OpenToRead, Create, InMemory };

    // Opens a file, or creates it (Error::AlreadyExists if it is there), or makes one that is
    // nowhere but in memory. Nothing is read yet.
    static Result<std::unique_ptr<Database>, Failure> open(const std::string& path,
                                                           Mode mode,
                                                           Duration busy_timeout);
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;
    ~Database();

    // Precondition: `sql` is a literal (its address is its name) of one valid statement.
    Query query(const char* sql);
    // Runs statements that are not kept.
    Status execute(const std::string& sql);
    // The first column of the first row.
    Result<std::string> text_of(const std::string& sql);
    // Replaces all content of `target`, which nobody else may use, by what is here now. Others may
    // go on writing here meanwhile.
    Status copy_to(Database& target);
    // The bytes of the whole file, without what others have not committed; and the way back.
    Result<std::vector<std::uint8_t>> serialize();
    Status deserialize(Bytes file);
    // How many rows the last write changed.
    std::int64_t changes() const { return sqlite3_changes64(connection_); }
    std::int64_t last_row_id() const { return sqlite3_last_insert_rowid(connection_); }
    std::string last_message() const { return sqlite3_errmsg(connection_); }

  private:
    explicit Database(sqlite3* connection) : connection_(connection) {}

    sqlite3* connection_;
    std::unordered_map<const char*, sqlite3_stmt*> statements_;
};

// A code of SQLite as Error::Busy, Error::Malformed or Error::StorageFailed; never as an error that
// the Store gives a meaning of its own.
Error to_error(int code);

}  // namespace sotto::cloud::store_sqlite
