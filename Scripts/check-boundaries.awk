# The rules of Scripts/check-boundaries, for which it is run with the source files as arguments.
# POSIX awk: Debian's is mawk. A file is read whole (raw, count), then checked by check_file().

function report(line, text) {
    printf "%s:%d: %s\n", file, line, text
    findings++
}

# The code of one line, without comments and the text of strings; code interpolated into a string is kept.
# Carries over lines: comment_depth, and the stack of open strings and interpolations.
function code_of(line,    out, i, n, c, two, rest, mark, hashes) {
    if (comment_depth == 0 && open_count == 0 && line !~ /["\/]/) return line
    n = length(line)
    out = ""
    i = 1
    while (i <= n) {
        c = substr(line, i, 1)
        two = substr(line, i, 2)
        if (comment_depth > 0) {
            if (two == "*/") { comment_depth--; i += 2 }
            else if (two == "/*") { comment_depth++; i += 2 }
            else i++
        } else if (open_count > 0 && open_kind[open_count] == "string") {
            mark = "\\" open_hashes[open_count]
            if (substr(line, i, length(mark)) == mark) {
                i += length(mark)
                if (substr(line, i, 1) == "(") {
                    open_count++
                    open_kind[open_count] = "interpolation"
                    open_parens[open_count] = 1
                    out = out "("
                }
                i++
            } else if (substr(line, i, length(open_end[open_count])) == open_end[open_count]) {
                i += length(open_end[open_count])
                out = out "\""
                open_count--
            } else i++
        } else if (two == "//") {
            break
        } else if (two == "/*") {
            comment_depth = 1
            i += 2
        } else {
            rest = (c == "\"" || c == "#") ? substr(line, i) : ""
            if (rest != "" && match(rest, /^#*"/)) {
                hashes = substr(rest, 1, RLENGTH - 1)
                mark = substr(rest, RLENGTH, 3) == "\"\"\"" ? "\"\"\"" : "\""
                open_count++
                open_kind[open_count] = "string"
                open_hashes[open_count] = hashes
                open_end[open_count] = mark hashes
                i += length(hashes) + length(mark)
                out = out "\""
            } else {
                if (open_count > 0 && c == "(") open_parens[open_count]++
                if (open_count > 0 && c == ")" && --open_parens[open_count] == 0) open_count--
                out = out c
                i++
            }
        }
    }
    # A string of one line that is still open was none (a quote in a regex literal).
    while (open_count > 0 && open_kind[open_count] == "string" && open_end[open_count] !~ /^"""/) open_count--
    return out
}

function is_c_type(token) {
    if (token ~ /^(Autoreleasing)?Unsafe[A-Za-z]*Pointer$/) return 1
    if (token ~ /^(OpaquePointer|CVaListPointer|Unmanaged)$/) return 1
    if (token ~ /^C(Char|SignedChar|UnsignedChar|Short|UnsignedShort|Int|UnsignedInt|Long|UnsignedLong)$/) return 1
    if (token ~ /^C(LongLong|UnsignedLongLong|Float|Double|LongDouble|Bool|Char16|Char32|WideChar)$/) return 1
    if (token ~ /^(mosquitto_|mosq_|MOSQ_|LIBMOSQUITTO_|mqtt5_|mqtt311_|MQTT_)/) return 1
    if (token ~ /^(pthread|socklen|ssize|size|time|uint8|uint16|uint32|uint64|int8|int16|int32|int64)_t$/) return 1
    if (token ~ /^(sockaddr|timeval|timespec|pollfd)$/) return 1
    return token == "Int32" && file ~ /^Sources\/Mosquitto\//
}

# Public signatures: from `public` (or a member that is public without the word: a requirement of a public protocol,
# a case of a public enum, a member of a public extension) to the opening brace or the end of the declaration.

function begin_signature(token, line) {
    in_signature = 1
    keyword = ""
    typed = parens = braces = arrow = 0
    scope_of_signature = "other"
    last_token = ""
    add_to_signature(token, line)
}

function add_to_signature(token, line) {
    if (is_c_type(token)) report(line, "public signature names the C type " token)
    if (keyword == "" && token ~ declaration) {
        keyword = token
        if (token == "protocol" || token == "enum" || token == "extension") scope_of_signature = token
    }
    if (token == ":" && parens == 0) typed = 1
    last_token = token
}

# Whether the declaration goes on after this line, where `following` is the next line with code.
function signature_continues(following) {
    if (parens > 0 || braces > 0 || keyword == "") return 1
    if (last_token ~ /^([,:=&]|where)$/ || arrow) return 1
    return following ~ /^[ \t]*(->|\{|where([^A-Za-z0-9_]|$)|throws([^A-Za-z0-9_]|$)|async([^A-Za-z0-9_]|$)|[,:&=.)])/
}

function scan_signatures(line, text, following,    token, previous, restricted, rest) {
    previous = ""
    restricted = 0
    rest = text
    while (match(rest, /[A-Za-z_][A-Za-z0-9_]*|[^A-Za-z0-9_ \t]/)) {
        token = substr(rest, RSTART, RLENGTH)
        rest = substr(rest, RSTART + RLENGTH)
        if (in_signature) {
            arrow = (token == ">" && previous == "-")
            if (parens == 0 && braces == 0 && token == "{") {
                in_signature = 0
                scope[++depth] = scope_of_signature
            } else if (parens == 0 && braces == 0 && (token == "}" || token == ";")) {
                in_signature = 0
                if (token == "}") depth--
            } else if (parens == 0 && braces == 0 && token == "=" && typed && keyword ~ /^(let|var)$/) {
                in_signature = 0
            } else {
                if (token ~ /^[([]$/) parens++
                if (token ~ /^[])]$/) parens--
                if (token == "{") braces++
                if (token == "}") braces--
                add_to_signature(token, line)
            }
        } else if (token == "{") {
            scope[++depth] = "other"
        } else if (token == "}") {
            if (depth > 0) depth--
        } else if (token ~ /^(private|fileprivate|internal|package)$/ && rest !~ /^\(set\)/) {
            restricted = 1
        } else if ((token == "public" && previous !~ /^[.`]$/) ||
                   (token == "open" && previous !~ /^([.`]|func)$/ && rest ~ opened)) {
            begin_signature(token, line)
        } else if (!restricted && token ~ declaration && previous != "." && depth > 0 &&
                   (scope[depth] == "protocol" || scope[depth] == "extension" ||
                    (scope[depth] == "enum" && token == "case"))) {
            begin_signature(token, line)
        }
        previous = token
    }
    if (in_signature && !signature_continues(following)) in_signature = 0
}

# Comments

function is_comment(line) { return raw[line] ~ /^[ \t]*(\/\/|\/\*|\*)/ }
function is_attribute(line) { return raw[line] ~ /^[ \t]*@[A-Za-z]/ }

function has_safety_comment(line,    i) {
    for (i = line; i >= 1 && i >= line - 4; i--) if (raw[i] ~ /\/\/.*SAFETY:/) return 1
    for (i = line - 1; i >= 1 && (is_comment(i) || is_attribute(i)); i--) if (raw[i] ~ /SAFETY:/) return 1
    return 0
}

# Right above, or above the line that begins the same expression (`let task =`).
function has_comment_above(line,    i) {
    i = line - 1
    while (i >= 1 && (is_attribute(i) || code[i] ~ /[=(,]$/)) i--
    return i >= 1 && is_comment(i)
}

# Whether the line makes a task: Task {, Task(…, Task<…> {, Task.detached, Task.immediate.
# Not `var task: Task<…> {`, `-> Task<…> {`, `extension Task {` nor another type's `.Task(`.
function makes_task(text,    rest, before, found, is_type) {
    rest = text
    before = ""
    while (match(rest, task_made)) {
        before = before substr(rest, 1, RSTART - 1)
        found = substr(rest, RSTART, RLENGTH)
        rest = substr(rest, RSTART + RLENGTH)
        is_type = before ~ not_a_call || (before ~ /:[ \t]*$/ && found ~ /</ && before ~ /(var|let|func|init)[ \t(]/)
        if (before !~ /[A-Za-z0-9_]$/ && !is_type && (before !~ /[.]$/ || before ~ /(Swift|_Concurrency)[.]$/)) return 1
        before = before found
    }
    return 0
}

function imports(text, module) {
    return text ~ ("(^|[^A-Za-z0-9_.])import[ \t]+([a-z]+[ \t]+)?" module "([^A-Za-z0-9_]|$)")
}

# Folders of MQTTBridge: what lies in one uses only what lies in it and in those before it. Files beside the folders use all.

function folder_rank(path,    rest) {
    rest = substr(path, length("Sources/MQTTBridge/") + 1)
    if (rest !~ /\//) return 99
    sub(/\/.*/, "", rest)
    return rest in rank_of ? rank_of[rest] : 0
}

# Notes which types a file declares, and where it first says each word that may be one.
function note_types(    rank, i, rest, word, declared) {
    rank = folder_rank(file)
    if (rank == 0) { report(1, "the folder is not in the order of folders"); return }
    for (i = 1; i <= count; i++) {
        if (match(code[i], /^((public|package|internal|final|indirect) )*(class|struct|enum|protocol|typealias|actor) [A-Z][A-Za-z0-9]*/)) {
            declared = substr(code[i], RSTART, RLENGTH)
            sub(/.* /, "", declared)
            type_rank[declared] = rank
            type_folder[declared] = file
            sub(/^Sources\/MQTTBridge\//, "", type_folder[declared])
        }
        rest = code[i]
        while (match(rest, /[A-Za-z_][A-Za-z0-9_]*/)) {
            word = substr(rest, RSTART, RLENGTH)
            rest = substr(rest, RSTART + RLENGTH)
            if (word !~ /^[A-Z]/ || (file, word) in first_use) continue
            first_use[file, word] = i
            uses[++use_count] = file SUBSEP word SUBSEP i SUBSEP rank
        }
    }
}

function check_uses(    i, use) {
    for (i = 1; i <= use_count; i++) {
        split(uses[i], use, SUBSEP)
        if (!(use[2] in type_rank) || type_rank[use[2]] <= use[4]) continue
        file = use[1]
        report(use[3], "uses " use[2] " of " type_folder[use[2]] ", which is above it")
    }
}

function check_file(    i, following, in_bus, in_client, in_boundary) {
    if (count > 300 && file ~ /^Sources\//) report(301, "the file has " count " lines; 300 is the most")
    if (file !~ /\.swift$/) return
    in_bus = file ~ /^Sources\/AsyncEventBus\//
    in_client = file ~ /^Sources\/Mosquitto\//
    in_boundary = file ~ /^Sources\/Mosquitto\/CBoundary\//

    comment_depth = open_count = 0
    for (i = 1; i <= count; i++) {
        code[i] = code_of(raw[i])
        sub(/[ \t]+$/, "", code[i])
    }
    for (i = 1; i <= count; i++) {
        if (imports(code[i], "CMosquitto")) {
            if (!in_boundary) report(i, "imports CMosquitto outside Sources/Mosquitto/CBoundary/")
            else if (code[i] ~ /(public|package|@_exported)[ \t]/) report(i, "imports CMosquitto for others to see")
        }
        if (in_bus) {
            if (imports(code[i], "Foundation[A-Za-z]*")) report(i, "AsyncEventBus imports Foundation")
            if (imports(code[i], "(Mosquitto|MQTTBridge[A-Za-z]*)")) report(i, "AsyncEventBus imports a module of MQTT")
            if (tolower(raw[i]) ~ /mqtt/) report(i, "AsyncEventBus says MQTT")
        }
        if (in_client && imports(code[i], "AsyncEventBus")) report(i, "Mosquitto imports AsyncEventBus")
        if (imports(code[i], "(FaultKit|StoreTesting|CRecordingVFS)") && file ~ /^Sources\// &&
            file !~ /^Sources\/(FaultKit|Simulation|StoreTesting|Torture)\//) report(i, "imports a target of tests")
        if (imports(code[i], "Torture") && file ~ /^Sources\// &&
            file !~ /^Sources\/mqtt-bridge-torture\//) report(i, "imports Torture")
        if (imports(code[i], "XCTest")) report(i, "imports XCTest, whose tests Scripts/test does not run")
    }
    if (file ~ /^Sources\/MQTTBridge\//) note_types()
    if (file !~ /^Sources\//) return

    in_signature = depth = 0
    for (i = 1; i <= count; i++) {
        if (code[i] ~ /(@unchecked[ \t]+Sendable|nonisolated\(unsafe\))/ && !has_safety_comment(i))
            report(i, "no SAFETY: comment above this @unchecked Sendable or nonisolated(unsafe)")
        if (makes_task(code[i]) && !has_comment_above(i))
            report(i, "no comment right above this task: who owns it, how many can there be, who awaits it")
        if (code[i] ~ /^[ \t]*$/ || code[i] ~ /^[ \t]*#(if|else|elseif|endif)/) continue
        for (following = i + 1; following <= count && code[following] ~ /^[ \t]*$/; following++) continue
        scan_signatures(i, code[i], following <= count ? code[following] : "")
    }
}

BEGIN {
    declaration = "^(func|var|let|init|subscript|typealias|associatedtype|struct|enum|class|actor|protocol|extension|" \
        "case|operator|macro|import|precedencegroup)$"
    opened = "^[ \t]+(class|func|var|subscript|override|static)[^A-Za-z0-9_]"
    task_made = "Task[ \t]*(<[^{]*>)?[ \t]*([{(]|[.](init|detached|immediate|immediateDetached)[^A-Za-z0-9_])"
    split("Options Wire Routing LoopGuard Reporting Context Broker Durability Connection", folders, " ")
    for (i in folders) rank_of[folders[i]] = i
    not_a_call = "(->|(^|[^A-Za-z0-9_])(extension|struct|class|enum|actor|protocol))[ \t]*$"
}
FNR == 1 && NR > 1 { check_file() }
FNR == 1 { file = FILENAME }
{ raw[FNR] = $0; count = FNR }
END {
    if (NR > 0) check_file()
    check_uses()
    exit findings > 0
}
