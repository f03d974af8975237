# Prints the targets of makefiles by group. A line `##@ GROUP` begins a group; `target: ## text` describes a target.
/^##@ / { group = substr($0, 5); next }
/^#?[a-z][A-Za-z0-9 -]*:.*## / {
    sub(/^#/, "")
    names = $0; sub(/:.*/, "", names)
    text = $0; sub(/^[^#]*## /, "", text)
    if (group != shown && group != "") { printf "\n%s\n", group; shown = group }
    count = split(names, each, " ")
    for (i = 1; i <= count; i++) printf "  %-18s %s\n", each[i], text
}
