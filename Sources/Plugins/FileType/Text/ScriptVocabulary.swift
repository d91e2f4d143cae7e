// The words of scripting and programming languages with their weights. Words that prose uses as well count only at the
// start of a line that ends as code does. Languages that nobody asks for stand here so that they are not taken for
// others.

struct Vocabulary: Sendable {
    let language: String
    let words: [(weight: Int, place: ScriptWords.Place, words: String)]

    init(_ language: String, _ words: [(weight: Int, place: ScriptWords.Place, words: String)]) {
        self.language = language
        self.words = words
    }
}

private let brace = ScriptWords.Place.startEnding(0x7B)
private let semicolon = ScriptWords.Place.startEnding(0x3B)
private let colon = ScriptWords.Place.startEnding(0x3A)
private let parenthesis = ScriptWords.Place.startEnding(0x29)

let scriptVocabulary: [Vocabulary] = [
    Vocabulary(
        "PowerShell",
        [
            (
                6, .anywhere,
                """
                invoke-expression invoke-webrequest invoke-restmethod invoke-command invoke-wmimethod \
                invoke-mimikatz get-childitem get-wmiobject get-ciminstance set-executionpolicy \
                convertto-securestring foreach-object where-object select-object new-itemproperty set-itemproperty \
                get-itemproperty set-strictmode start-bitstransfer register-scheduledtask add-mppreference \
                set-mppreference import-module $psscriptroot $psboundparameters cmdletbinding $env: -encodedcommand \
                -executionpolicy convertfrom-json convertto-json get-process get-service write-host write-output \
                write-error write-verbose write-warning new-object add-type out-file out-null out-string test-path \
                join-path split-path get-content set-content add-content get-item set-item new-item remove-item \
                copy-item start-process stop-process start-sleep get-date get-location set-location get-command \
                get-member get-variable set-variable get-random new-pssession enter-pssession \
                system.management.automation.amsiutils $executioncontext $psversiontable $host.ui
                """
            ),
            (
                4, .anywhere,
                """
                iex iwr net.webclient system.net.webclient frombase64string downloadstring downloadfile \
                net.sockets.tcpclient system.net.sockets.tcpclient io.memorystream system.io.memorystream \
                io.compression.gzipstream system.reflection.assembly -windowstyle -noprofile -noninteractive -nop \
                -noni -enc reflection.assembly entrypoint.invoke amsiinitfailed -erroraction valuefrompipeline \
                -argumentlist
                """
            ),
            (
                3, .anywhere,
                """
                $true $false $null -ne -notmatch -match -like -notlike -contains powershell.exe $args $error -join \
                -bxor
                """
            ),
            (
                2, .anywhere,
                """
                getfield setvalue nonpublic -eq -gt -lt -le -ge -and -or -not -split -replace $_ $_. -force -path \
                -as
                """
            ),
            (3, .startEnding(0x28), "param"),
            (3, parenthesis, "param"),
            (2, brace, "process begin try catch foreach elseif"),
        ]),
    Vocabulary(
        "VBS",
        [
            (
                6, .anywhere,
                """
                wscript.createobject wscript.shell scripting.filesystemobject wscript.echo wscript.quit \
                wscript.sleep wscript.scriptfullname wscript.arguments wscript.network msxml2.xmlhttp \
                msxml2.serverxmlhttp microsoft.xmlhttp adodb.stream executeglobal winmgmts: vbcrlf vbnewline vba.
                """
            ),
            (
                4, .anywhere,
                """
                createobject getobject wscript. chrw regwrite regread err.number expandenvironmentstrings vbtab \
                vbnullstring
                """
            ),
            (3, .start, "dim redim endif wend"),
            (2, .start, "set call sub elseif next msgbox option attribute private public"),
            (3, .startEnding(0x6E), "if elseif"),
            (2, .anywhere, "byval byref chr mid ubound lbound asc cstr cint clng replace( isempty nothing"),
            (2, .startEnding(0x62), "end exit"),
        ]),
    Vocabulary(
        "JavaScript",
        [
            (
                6, .anywhere,
                """
                document.write document.getelementbyid document.createelement document.queryselector window.location \
                string.fromcharcode console.log console.error module.exports addeventlistener json.stringify \
                json.parse activexobject new.target object.defineproperty object.keys use.strict settimeout \
                setinterval parseint decodeuricomponent encodeuricomponent hasownproperty innerhtml async-await \
                process.argv math.floor math.random wscript.createobject exports. require.main wscript.shell \
                msxml2.xmlhttp adodb.stream microsoft.xmlhttp scripting.filesystemobject
                """
            ),
            (
                4, .anywhere,
                """
                document. window. console. typeof undefined eval unescape prototype charcodeat fromcharcode tostring \
                jquery $.
                """
            ),
            (3, semicolon, "var let const return throw import export this. module."),
            (3, brace, "function var let const async class if for while switch try else export"),
            (3, .startEnding(0x2C), "var let const"),
            (2, .anywhere, "var let function const"),
            (2, .startEnding(0x7D), "var let const function"),
        ]),
    Vocabulary(
        "BATCH",
        [
            (
                6, .anywhere,
                """
                %~dp0 %~n0 %~nx0 %~f0 %errorlevel% %systemroot% %temp% %appdata% %userprofile% %windir% %comspec% \
                %programfiles% %localappdata% %cd% %username% %computername% %random% %public% %programdata% \
                enabledelayedexpansion
                """
            ),
            (
                5, .start,
                """
                @echo @set @if @cls @rem @pushd setlocal endlocal echo. schtasks reg.exe netsh taskkill bitsadmin \
                certutil vssadmin wmic
                """
            ),
            (
                3, .start,
                """
                rem set goto call pushd popd cls xcopy robocopy attrib del copy md rd mkdir rmdir ren cmd cmd.exe \
                :start :end :eof title pause net ipconfig whoami
                """
            ),
            (
                2, .anywhere,
                """
                errorlevel nul %%a %%i %%f %1 %2 %* defined neq equ geq leq hklm hkcu reg_sz reg_dword powershell
                """
            ),
            (2, .start, "echo if for start exit reg ping"),
        ]),
    Vocabulary(
        "Shell Script",
        [
            (4, .start, "fi esac elif unset trap shopt"),
            (3, .start, "done export sudo chmod chown apt-get yum systemctl crontab wget curl iptables nohup"),
            (4, .startEnding(0x6E), "if elif"),
            (4, .startEnding(0x6F), "for while until"),
            (3, .anywhere, "$@ $# then .bashrc $? -z $home $path"),
            (2, .anywhere, "dev null tmp bash sh -c -e local grep awk sed $1 $2 $$ uname"),
            (2, .start, "echo source alias case exit set cd rm mkdir read cat eval"),
            (3, brace, "function"),
        ]),
    Vocabulary(
        "Python",
        [
            (5, colon, "def class elif except finally with"),
            (3, colon, "if for while try else: except: try: finally: async"),
            (
                6, .anywhere,
                """
                __name__ __init__ __future__ __main__ sys.argv os.path os.system subprocess.popen subprocess.call \
                self. socket.socket base64.b64decode sys.exit
                """
            ),
            (3, .start, "import from"),
            (
                3, .anywhere,
                """
                elif none __import__ os. sys. lambda kwargs isinstance subprocess print( startswith endswith np. \
                re.compile
                """
            ),
            (2, .start, "return raise yield pass assert print global del"),
            (2, .start, "@property @staticmethod @classmethod"),
        ]),
    Vocabulary(
        "Perl",
        [
            (5, semicolon, "use my our no local require package sub"),
            (4, .anywhere, "$_ @_ $self @argv $0 @inc %env $env qw stdin stderr"),
            (4, brace, "sub foreach elsif unless"),
            (3, .start, "my our elsif chomp unless"),
            (2, .anywhere, "=~ eq ne shift defined bless die push"),
            (3, semicolon, "print printf die chomp return close open"),
        ]),
    Vocabulary(
        "Ruby",
        [
            (
                4, .start,
                """
                require require_relative attr_accessor attr_reader attr_writer module unless elsif puts include end \
                rescue ensure
                """
            ),
            (3, .start, "def"),
            (3, .startEnding(0x7C), "def each do loop"),
            (3, .anywhere, "nil? .each do self. lambda @name initialize file.open"),
            (2, .startEnding(0x64), "end"),
        ]),
    Vocabulary(
        "Lua",
        [
            (4, .start, "local elseif"),
            (
                3, .anywhere,
                """
                nil pairs ipairs io.write string.format table.insert table.concat string.char pcall require \
                os.execute loadstring
                """
            ),
            (3, .startEnding(0x6E), "elseif"),
            (3, parenthesis, "function local"),
            (2, .start, "end end) then function"),
        ]),
    Vocabulary(
        "C Source",
        [
            (5, .start, "#include #define #ifdef #ifndef #endif #pragma #undef typedef"),
            (
                4, .anywhere,
                """
                malloc printf sizeof uint8_t uint32_t size_t stdio.h stdlib.h std: const char struct unsigned
                """
            ),
            (3, brace, "int void static struct namespace class enum template"),
            (3, semicolon, "int char void static struct using typedef unsigned extern"),
        ]),
    Vocabulary(
        "C# Source",
        [
            (5, semicolon, "using namespace"),
            (
                4, .anywhere,
                """
                system.collections.generic console.writeline dllimport system.runtime.interopservices system.text \
                system.io system.threading system.diagnostics
                """
            ),
            (3, .start, "namespace using"),
            (3, parenthesis, "public private protected internal"),
            (3, .anywhere, "public static void class string internal sealed"),
        ]),
    Vocabulary(
        "Java Source",
        [
            (
                6, .anywhere,
                """
                java.util java.io java.lang java.net javax. system.out.println org.apache. com.google. android.os
                """
            ),
            (5, semicolon, "import package"),
            (4, brace, "public private protected @override class interface"),
            (3, .anywhere, "public private static void class extends implements throws"),
        ]),
    Vocabulary(
        "Go Source",
        [
            (5, .start, "package func"),
            (4, .anywhere, "fmt. err nil fmt.println interface chan defer struct"),
            (4, brace, "func if for type"),
            (3, .startEnding(0x28), "import var const"),
        ]),
    Vocabulary(
        "Vim Script",
        [
            (
                4, .start,
                """
                endfunction endfun finish unlet nnoremap inoremap vnoremap noremap autocmd augroup syn syntax hi \
                hilite silent
                """
            ),
            (3, .start, "let endif setlocal endwhile endfor"),
            (3, .anywhere, "s:cpo_save g: b: s: v: exists expand"),
        ]),
    Vocabulary(
        "YARA Rules",
        [
            (4, .startEnding(0x3A), "meta: strings: condition:"),
            (4, brace, "rule private"),
            (3, .start, "rule"),
            (3, .anywhere, "fullword nocase uint16 uint32 filesize ascii wide"),
        ]),
    Vocabulary(
        "CSS",
        [
            (4, .start, "@media @import @font-face @charset @keyframes"),
            (
                4, .anywhere,
                """
                font-family: font-size: background-color: margin-left: padding-left: text-align: border-radius: \
                text-decoration: line-height:
                """
            ),
            (
                3, .anywhere,
                """
                margin: padding: width: height: color: display: background: border: float: position: font-weight:
                """
            ),
            (2, brace, "body html a p h1 h2 h3 ul li table td th div img"),
        ]),
    Vocabulary(
        "SQL",
        [
            (4, .startEnding(0x2C), "select insert update delete"),
            (4, .startEnding(0x28), "create insert"),
            (4, parenthesis, "insert values"),
            (4, .anywhere, "varchar varchar2 nvarchar autoincrement auto_increment"),
            (2, .anywhere, "primary foreign references constraint"),
            (4, semicolon, "insert update delete alter create drop commit begin rollback select use"),
            (1, .anywhere, "where values table into from"),
        ]),
]
