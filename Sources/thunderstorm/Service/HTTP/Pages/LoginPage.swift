/// The page at `/login`: takes a token.
struct LoginPage {
    /// Where to go afterwards, a path of this service.
    let next: String
    /// Why the last try failed.
    var problem: String?

    /// What stands between header and footer.
    var main: HTML {
        let message: HTML = problem.map { "<p role=\"alert\" class=\"warning\">\($0)</p>\n" } ?? ""
        return """
            <h1>Sign in</h1>
            <p>This service asks for a token with the scope <code>read</code>. The operator makes one with
            <code>thunderstorm token create</code>. It is not stored in this browser.</p>
            \(message)<form method="post" action="/login" class="search">
            <input type="hidden" name="next" value="\(next)">
            <div><label for="token">Token</label>
            <input id="token" name="token" type="password" required autocomplete="off" spellcheck="false"></div>
            <div class="buttons"><button>Sign in</button></div></form>

            """
    }

    /// A place of this service that a client named, or the overview: never an address elsewhere.
    static func place(_ text: String?) -> String {
        guard let text, text.hasPrefix("/"), !text.hasPrefix("//"), !text.contains("\\"),
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) })
        else { return "/" }
        return text
    }
}
