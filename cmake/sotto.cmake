# One rule: folder = target = namespace = include prefix. `sotto_library(core/cbor DEPS core/base)`
# declares the library sotto_core_cbor from every source of the folder and refuses an edge that
# layers.txt does not name. Tests (*_test.cpp), fuzz targets (*_fuzz.cpp) and main.cpp stand beside
# the sources and are declared with sotto_test(), sotto_fuzz() and sotto_main().

file(STRINGS ${CMAKE_SOURCE_DIR}/cmake/layers.txt _sotto_layer_lines REGEX "^[a-z]")
set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
                                                           ${CMAKE_SOURCE_DIR}/cmake/layers.txt)

# Sets `out` to the folders that the line of `folder` in layers.txt names; stops if there is no line
# or if the line points to itself or below.
function(_sotto_allowed folder out)
    set(earlier "")
    foreach(line IN LISTS _sotto_layer_lines)
        string(REGEX MATCH "^([a-z0-9_/]+) *:(.*)$" _ "${line}")
        set(name ${CMAKE_MATCH_1})
        string(STRIP "${CMAKE_MATCH_2}" names)
        separate_arguments(names UNIX_COMMAND "${names}")
        if(name STREQUAL folder)
            set(allowed "")
            foreach(item IN LISTS names)
                if(item MATCHES "^(.*)/\\*$")
                    set(matches ${earlier})
                    list(FILTER matches INCLUDE REGEX "^${CMAKE_MATCH_1}/[a-z0-9_]+$")
                    list(APPEND allowed ${matches})
                elseif(item IN_LIST earlier)
                    list(APPEND allowed ${item})
                else()
                    message(FATAL_ERROR "layers.txt: ${folder} names ${item}, which is on no earlier line")
                endif()
            endforeach()
            set(${out} ${allowed} PARENT_SCOPE)
            return()
        endif()
        list(APPEND earlier ${name})
    endforeach()
    message(FATAL_ERROR "layers.txt has no line for ${folder}")
endfunction()

function(_sotto_check_edges folder)
    _sotto_allowed(${folder} allowed)
    foreach(dep IN LISTS ARGN)
        if(NOT dep IN_LIST allowed)
            message(FATAL_ERROR "${folder} may not depend on ${dep}: its line in cmake/layers.txt does not name it")
        endif()
    endforeach()
endfunction()

function(_sotto_target folder out)
    string(REPLACE "/" "_" name ${folder})
    set(${out} sotto_${name} PARENT_SCOPE)
endfunction()

function(_sotto_link target scope)
    foreach(dep IN LISTS ARGN)
        _sotto_target(${dep} library)
        target_link_libraries(${target} ${scope} ${library})
    endforeach()
endfunction()

add_custom_target(programs)  # every sotto_main()
add_custom_target(fuzzers)   # every sotto_fuzz()

add_library(sotto_settings INTERFACE)
target_compile_features(sotto_settings INTERFACE cxx_std_20)
target_include_directories(sotto_settings INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(
    sotto_settings
    INTERFACE -Wall -Wextra -Wshadow -Wundef -Wswitch-enum -Werror
              $<$<COMPILE_LANGUAGE:CXX>:-Wold-style-cast -Wnon-virtual-dtor>
              $<$<CXX_COMPILER_ID:Clang>:-Wconversion -Wno-sign-conversion>
              # g++ 12 with optimisation warns of what cannot happen, in std::vector and behind the flag of
              # a Result. The other builds are strict.
              $<$<AND:$<CONFIG:Release>,$<CXX_COMPILER_ID:GNU>>:-Wno-error>)

# core/ and what device/ has of libraries must run on a chip: no exceptions, no RTTI, no guards for statics.
add_library(sotto_core_settings INTERFACE)
target_compile_options(
    sotto_core_settings INTERFACE -fno-exceptions -fno-rtti -fno-threadsafe-statics -ffunction-sections
                                  -fdata-sections)

# sotto_library(FOLDER [DEPS folder...] [LIBRARIES external...])
function(sotto_library folder)
    cmake_parse_arguments(arg "" "" "DEPS;LIBRARIES" ${ARGN})
    _sotto_check_edges(${folder} ${arg_DEPS})
    _sotto_target(${folder} target)
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cpp)
    list(FILTER sources EXCLUDE REGEX "(_test|_fuzz|_bench|/main)\\.cpp$")
    if(sources)
        # A port fills holes of the folders before it: as objects, not as an archive, it can stand
        # anywhere on the linker's line.
        set(kind STATIC)
        if(folder MATCHES "^ports/")
            set(kind OBJECT)
        endif()
        add_library(${target} ${kind} ${sources})
        target_link_libraries(${target} PUBLIC sotto_settings ${arg_LIBRARIES})
        if(folder MATCHES "^(core/|device/(sdk|boot|update)|ports/bearssl)")
            target_link_libraries(${target} PRIVATE sotto_core_settings)
        endif()
        _sotto_link(${target} PUBLIC ${arg_DEPS})
    else()
        add_library(${target} INTERFACE)
        target_link_libraries(${target} INTERFACE sotto_settings ${arg_LIBRARIES})
        _sotto_link(${target} INTERFACE ${arg_DEPS})
    endif()
endfunction()

# Takes panic() from `testing`, unless a port of the test brings one.
set(_sotto_want_panic -Wl,--undefined=_ZN5sotto5panicEPKci)

# sotto_main(FOLDER PROGRAM [DEPS folder...] [LIBRARIES external...]): the program of a folder, from
# all of its sources; or from main.cpp and the library that sotto_library() made of the others, where
# the tests of the folder are to share them.
function(sotto_main folder program)
    cmake_parse_arguments(arg "" "" "DEPS;LIBRARIES" ${ARGN})
    _sotto_check_edges(${folder} ${arg_DEPS})
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*.cpp)
    list(FILTER sources EXCLUDE REGEX "(_test|_fuzz|_bench)\\.cpp$")
    _sotto_target(${folder} library)
    if(TARGET ${library})
        set(sources main.cpp)
        list(APPEND arg_LIBRARIES ${library})
    endif()
    add_executable(${program} ${sources})
    set_target_properties(${program} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
    target_link_libraries(${program} PRIVATE sotto_settings ${arg_LIBRARIES})
    _sotto_link(${program} PRIVATE ${arg_DEPS})
    add_dependencies(programs ${program})
endfunction()

# sotto_test(FOLDER [NAME name] [PORT openssl|bearssl] [LABEL unit|vector|sim|integration]
#            [DEPS folder...] [LIBRARIES external...] [SOURCES file...])
# One binary from every *_test.cpp of the folder (or SOURCES). It links the folder itself, its DEPS,
# `testing` and one port: nothing else, so that each module is also proved alone.
function(sotto_test folder)
    if(NOT SOTTO_HOST_TESTS)
        return()
    endif()
    cmake_parse_arguments(arg "" "NAME;PORT;LABEL" "DEPS;LIBRARIES;SOURCES" ${ARGN})
    _sotto_target(${folder} library)
    if(NOT arg_NAME)
        set(arg_NAME ${library}_test)
    endif()
    if(NOT arg_SOURCES)
        file(GLOB arg_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${folder}/*_test.cpp)
    endif()
    add_executable(${arg_NAME} ${arg_SOURCES})
    target_compile_definitions(${arg_NAME} PRIVATE SOTTO_SOURCE_DIR="${CMAKE_SOURCE_DIR}"
                                                   SOTTO_BINARY_DIR="${CMAKE_BINARY_DIR}")
    target_link_libraries(${arg_NAME} PRIVATE sotto_settings ${arg_LIBRARIES} sotto_testing GTest::gtest_main)
    if(TARGET ${library})
        target_link_libraries(${arg_NAME} PRIVATE ${library})
    endif()
    _sotto_link(${arg_NAME} PRIVATE ${arg_DEPS})
    if(arg_PORT)
        _sotto_link(${arg_NAME} PRIVATE ports/${arg_PORT})
    endif()
    target_link_options(${arg_NAME} PRIVATE ${_sotto_want_panic})
    add_test(NAME ${arg_NAME} COMMAND ${arg_NAME})
    if(NOT arg_LABEL)
        set(arg_LABEL unit)
    endif()
    set_tests_properties(${arg_NAME} PROPERTIES LABELS ${arg_LABEL})
endfunction()

# sotto_fuzz(FOLDER file_fuzz.cpp [PORT openssl|bearssl] [DEPS folder...] [SOURCES file...])
# It links the folder itself or, if they are given, only these SOURCES of it. With SOTTO_FUZZ (the `fuzz` preset, clang) a libFuzzer binary; otherwise the same target replays
# its corpus tests/fuzz/<name>/ under plain ctest.
function(sotto_fuzz folder source)
    if(NOT SOTTO_HOST_TESTS)
        return()
    endif()
    cmake_parse_arguments(arg "" "PORT" "DEPS;SOURCES" ${ARGN})
    _sotto_target(${folder} library)
    get_filename_component(stem ${source} NAME_WE)
    set(name ${library}_${stem})
    set(corpus ${CMAKE_SOURCE_DIR}/tests/fuzz/${name})
    add_executable(${name} ${CMAKE_SOURCE_DIR}/${folder}/${source} ${arg_SOURCES})
    target_link_libraries(${name} PRIVATE sotto_settings sotto_testing)
    if(NOT arg_SOURCES)
        target_link_libraries(${name} PRIVATE ${library})
    endif()
    _sotto_link(${name} PRIVATE ${arg_DEPS})
    if(arg_PORT)
        _sotto_link(${name} PRIVATE ports/${arg_PORT})
    endif()
    target_link_options(${name} PRIVATE ${_sotto_want_panic})
    add_dependencies(fuzzers ${name})
    if(SOTTO_FUZZ)
        target_link_options(${name} PRIVATE -fsanitize=fuzzer)
        set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
    else()
        target_sources(${name} PRIVATE ${CMAKE_SOURCE_DIR}/tests/fuzz/replay.cpp)
        add_test(NAME ${name}_corpus COMMAND ${name} ${corpus})
        set_tests_properties(${name}_corpus PROPERTIES LABELS unit)
    endif()
endfunction()
