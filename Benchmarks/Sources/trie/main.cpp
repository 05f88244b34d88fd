// The limit for matching: a trie of the patterns in C++, that one thread uses, without anything else of a bus.
//
//   trie PATTERNS TOPICS ROUNDS
//
// Reads topics of its own making (patterns.hpp), each once as one not seen before, then in rounds from a cache by
// topic. Prints the nanoseconds for each as one line of JSON.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "patterns.hpp"

struct Node {
    std::unordered_map<std::string_view, Node *> children;
    Node *any_child = nullptr;
    std::vector<int> values, rest_values;
};

// Nodes and the texts that their keys point to live as long as the program.
static Node root;

static std::string_view next_level(std::string_view &rest, bool &is_last) {
    size_t end = rest.find('/');
    is_last = end == std::string_view::npos;
    std::string_view level = rest.substr(0, end);
    rest = is_last ? std::string_view() : rest.substr(end + 1);
    return level;
}

static void insert(std::string_view pattern, int value) {
    Node *node = &root;
    bool is_last = false;
    while (!is_last) {
        std::string_view level = next_level(pattern, is_last);
        if (level == "#") {
            node->rest_values.push_back(value);
            return;
        }
        Node *&child = level == "+" ? node->any_child : node->children[level];
        if (!child) child = new Node;
        node = child;
    }
    node->values.push_back(value);
}

static void collect(const Node &node, std::string_view rest, bool is_end, std::vector<int> &found) {
    found.insert(found.end(), node.rest_values.begin(), node.rest_values.end());
    if (is_end) {
        found.insert(found.end(), node.values.begin(), node.values.end());
        return;
    }
    bool is_last;
    std::string_view level = next_level(rest, is_last);
    auto child = node.children.find(level);
    if (child != node.children.end()) collect(*child->second, rest, is_last, found);
    if (node.any_child) collect(*node.any_child, rest, is_last, found);
}

static double nanoseconds_since(std::chrono::steady_clock::time_point start, size_t count) {
    std::chrono::duration<double, std::nano> span = std::chrono::steady_clock::now() - start;
    return span.count() / static_cast<double>(count);
}

int main(int count, char **arguments) {
    if (count != 4) return 2;
    int patterns = std::atoi(arguments[1]), topics = std::atoi(arguments[2]), rounds = std::atoi(arguments[3]);
    std::vector<std::string> pattern_texts, topic_texts;
    for (int i = 0; i < patterns; i++) pattern_texts.push_back(pattern(i));
    for (int i = 0; i < topics; i++) topic_texts.push_back(topic(i));
    for (int i = 0; i < patterns; i++) insert(pattern_texts[i], i);
    std::unordered_map<std::string_view, std::vector<int>> cache;
    cache.reserve(static_cast<size_t>(topics));
    size_t matches = 0;
    // Matching alone; the cache is filled afterwards.
    std::vector<int> found;
    auto start = std::chrono::steady_clock::now();
    for (const std::string &text : topic_texts) {
        found.clear();
        collect(root, text, false, found);
        matches += found.size();
    }
    double unseen = nanoseconds_since(start, topic_texts.size());
    for (const std::string &text : topic_texts) {
        found.clear();
        collect(root, text, false, found);
        cache.emplace(text, found);
    }
    size_t seen_matches = 0;
    start = std::chrono::steady_clock::now();
    for (int round = 0; round < rounds; round++) {
        for (const std::string &text : topic_texts) seen_matches += cache.find(text)->second.size();
    }
    double seen = nanoseconds_since(start, topic_texts.size() * static_cast<size_t>(rounds));
    // Also keeps the compiler from leaving the look-ups out.
    if (matches == 0 || seen_matches != matches * static_cast<size_t>(rounds)) return 1;
    std::printf("{\"unseen\":%.2f,\"seen\":%.2f}\n", unseen, seen);
}
