# cmake -D COMPILER=... -D CASE=file.cpp -D ROOT=... -P check.cmake
file(STRINGS ${CASE} reason REGEX "^// fails with: ")
string(REGEX REPLACE "^// fails with: " "" reason "${reason}")
if(reason STREQUAL "")
    message(FATAL_ERROR "${CASE} does not say what it fails with")
endif()

function(compile out_code out_text)
    execute_process(
        COMMAND ${COMPILER} -std=c++20 -Wall -Wextra -Werror -fsyntax-only -I ${ROOT} ${ARGN} ${CASE}
        RESULT_VARIABLE code
        OUTPUT_VARIABLE text
        ERROR_VARIABLE text)
    set(${out_code} ${code} PARENT_SCOPE)
    set(${out_text} "${text}" PARENT_SCOPE)
endfunction()

compile(code text -D MUST_COMPILE)
if(NOT code EQUAL 0)
    message(FATAL_ERROR "does not compile even with MUST_COMPILE:\n${text}")
endif()
compile(code text)
if(code EQUAL 0)
    message(FATAL_ERROR "compiles, and must not")
endif()
if(NOT text MATCHES "${reason}")
    message(FATAL_ERROR "fails for another reason than '${reason}':\n${text}")
endif()
