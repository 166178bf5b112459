# BearSSL 0.6 (MIT): crypto for the chip and for WASM. ./dev fetches Debian's source package into
# build/deps/bearssl and names it; anybody else's build takes the release archive by its hash.
include(FetchContent)
if(NOT DEFINED FETCHCONTENT_SOURCE_DIR_BEARSSL AND EXISTS ${CMAKE_SOURCE_DIR}/build/deps/bearssl/inc/bearssl.h)
    set(FETCHCONTENT_SOURCE_DIR_BEARSSL ${CMAKE_SOURCE_DIR}/build/deps/bearssl)
endif()
FetchContent_Declare(
    bearssl
    URL https://bearssl.org/bearssl-0.6.tar.gz
    URL_HASH SHA256=6705bba1714961b41a728dfc5debbe348d2966c117649392f8c8139efc83ff14
    DOWNLOAD_EXTRACT_TIMESTAMP FALSE)
FetchContent_GetProperties(bearssl)
if(NOT bearssl_POPULATED)
    FetchContent_Populate(bearssl)
endif()

file(GLOB_RECURSE _bearssl_sources ${bearssl_SOURCE_DIR}/src/*.c)
list(FILTER _bearssl_sources EXCLUDE REGEX "/(ssl|x509)/")
add_library(bearssl STATIC EXCLUDE_FROM_ALL ${_bearssl_sources})
target_include_directories(bearssl SYSTEM PUBLIC ${bearssl_SOURCE_DIR}/inc PRIVATE ${bearssl_SOURCE_DIR}/src)
target_compile_definitions(bearssl PRIVATE BR_USE_URANDOM=0 BR_USE_UNIX_TIME=0)
target_compile_options(bearssl PRIVATE -w -ffunction-sections -fdata-sections)
if(CMAKE_C_COMPILER_ID STREQUAL Clang)
    # On purpose it reads words at any address and calls "methods" through pointers of another type.
    target_compile_options(bearssl PRIVATE -fno-sanitize=function,alignment)
endif()
if(CMAKE_SYSTEM_PROCESSOR STREQUAL cortex-m0)
    target_compile_definitions(bearssl PRIVATE BR_ARMEL_CORTEXM_GCC=1 BR_LOMUL=1 BR_INT128=0)
    set_source_files_properties(
        ${bearssl_SOURCE_DIR}/src/rsa/rsa_i15_pub.c
        PROPERTIES COMPILE_OPTIONS "-include;${CMAKE_SOURCE_DIR}/cmake/bearssl_small_rsa.h")
endif()
set_target_properties(bearssl PROPERTIES C_STANDARD 99 C_EXTENSIONS ON)
if(CMAKE_CROSSCOMPILING)
    set_target_properties(bearssl PROPERTIES EXCLUDE_FROM_ALL OFF)  # that it builds is part of the proof
endif()
