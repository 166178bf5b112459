# Boost.Beast and Asio's TLS, compiled once. What uses their templates takes minutes and gigabytes
# under a sanitizer, so such sources are few and are compiled one at a time (JOB_POOL_COMPILE heavy).
find_package(OpenSSL 3 REQUIRED COMPONENTS SSL Crypto)
set_property(GLOBAL APPEND PROPERTY JOB_POOLS heavy=1)
add_library(sotto_beast STATIC EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/cmake/beast.cpp)
target_compile_definitions(sotto_beast PUBLIC BOOST_BEAST_SEPARATE_COMPILATION)
target_link_libraries(sotto_beast PUBLIC sotto_asio OpenSSL::SSL OpenSSL::Crypto)
set_target_properties(sotto_beast PROPERTIES JOB_POOL_COMPILE heavy)
