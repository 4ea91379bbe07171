# Installs local-coder, one executable file, for the current user on Windows. Needs no administrator.
#
#   irm URL/install.ps1 | iex
#   & ([scriptblock]::Create((irm URL/install.ps1))) -Version 1.2.3 -Dir D:\tools
#   powershell -File install.ps1 -Uninstall
#
# For Windows PowerShell 5.1 and PowerShell 7. Everything happens in a script block: with iex this text runs in the
# scope of whoever calls it, where no function and no preference may stay behind, and where exit would close the window.
param(
    [string]$Version = '',
    [string]$Dir = '',
    [switch]$Uninstall,
    [switch]$Help
)

$localCoderInstaller = {
    param([string]$Version, [string]$Dir, [bool]$Uninstall, [bool]$Help)

    # npm run docs writes this line from package.json.
    $releases = 'https://github.example/local-coder/local-coder/releases'

    Set-StrictMode -Version 3.0
    $ErrorActionPreference = 'Stop'
    # Windows PowerShell spends most of a download on drawing its progress.
    $ProgressPreference = 'SilentlyContinue'

    $versionPattern = '^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$'
    $oldPattern = '^local-coder\.exe\.[0-9a-f]{8}\.old$'

    function Stop-Installer([string]$Message) {
        throw "local-coder: $Message"
    }

    function Show-Help {
        Write-Host @'
Installs local-coder, one executable file, for the current user. Needs no administrator.

  install.ps1 [-Version X] [-Dir D]    install, or upgrade what is there
  install.ps1 -Uninstall [-Dir D]      remove the executable; its state folder stays

  -Version X   this version instead of the newest (or the variable LOCAL_CODER_INSTALL_VERSION)
  -Dir D       folder of the executable (or LOCAL_CODER_INSTALL_DIR; default: %LOCALAPPDATA%\Programs\local-coder)

From the web: & ([scriptblock]::Create((irm URL/install.ps1))) -Dir D

LOCAL_CODER_BASE_URL names a mirror: https://HOST/PATH below which latest/download/FILE and download/vX/FILE lie.
'@
    }

    function Get-Folder([string]$Given) {
        if (-not $Given) { $Given = $env:LOCAL_CODER_INSTALL_DIR }
        if (-not $Given) {
            if (-not $env:LOCALAPPDATA) { Stop-Installer 'LOCALAPPDATA is not set: say with -Dir where to install.' }
            $Given = Join-Path $env:LOCALAPPDATA 'Programs\local-coder'
        }
        # Relative paths start where PowerShell stands, not where its process does.
        $full = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($Given)
        if ($full.Length -gt 3) { $full = $full.TrimEnd('\') }
        return $full
    }

    function Get-BaseUrl {
        $base = $releases
        if ($env:LOCAL_CODER_BASE_URL) { $base = $env:LOCAL_CODER_BASE_URL }
        $base = $base.TrimEnd('/')
        $uri = $null
        $known = [Uri]::TryCreate($base, [UriKind]::Absolute, [ref]$uri)
        if (-not $known -or $uri.UserInfo -or $uri.Query -or $uri.Fragment) {
            Stop-Installer 'LOCAL_CODER_BASE_URL is not the address of a mirror: https://HOST/PATH, without a password, ? or #.'
        }
        if ($uri.Scheme -ne 'https' -and -not ($uri.Scheme -eq 'http' -and $uri.IsLoopback)) {
            Stop-Installer 'LOCAL_CODER_BASE_URL must be https:// (http:// is for this machine alone).'
        }
        if ($uri.Host -like '*.example') {
            Stop-Installer ('No release of local-coder is published yet. Set LOCAL_CODER_BASE_URL to a mirror that ' +
                'has one, or build it from the sources (npm ci, npm run build).')
        }
        return $base
    }

    function Get-Target {
        # A process that is emulated is told another processor; the machine's own is in the registry.
        $name = $env:PROCESSOR_ARCHITEW6432
        if (-not $name) { $name = $env:PROCESSOR_ARCHITECTURE }
        $key = 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager\Environment'
        $machine = Get-ItemProperty -LiteralPath $key -Name PROCESSOR_ARCHITECTURE -ErrorAction SilentlyContinue
        if ($null -ne $machine) { $name = $machine.PROCESSOR_ARCHITECTURE }
        if ($name -eq 'AMD64') { return 'win-x64' }
        if ($name -eq 'ARM64') { return 'win-arm64' }
        Stop-Installer "There is no build of local-coder for $name, only for x64 and arm64."
    }

    # Three tries; what the server refuses is not asked for again. Gives the status of that refusal, or 0.
    function Save-Url([string]$Url, [string]$File) {
        for ($try = 1; ; $try++) {
            try {
                Invoke-WebRequest -UseBasicParsing -Uri $Url -OutFile $File -TimeoutSec 60
                return 0
            } catch {
                $failure = $_.Exception
                $status = 0
                # A failure without an answer has no such property in some versions, and null in others.
                $property = $failure.PSObject.Properties['Response']
                if ($null -ne $property -and $null -ne $property.Value) { $status = [int]$property.Value.StatusCode }
                if ($status -ge 400 -and $status -lt 500) { return $status }
                if ($try -ge 3) { Stop-Installer "$Url could not be downloaded (tried $try times): $($failure.Message)" }
                Start-Sleep -Seconds 1
            }
        }
    }

    # Get-FileHash is missing where 5.1 is started from PowerShell 7 with the module path of that one.
    function Get-Sha256([string]$File) {
        $stream = [IO.File]::OpenRead($File)
        $hasher = [Security.Cryptography.SHA256]::Create()
        try {
            return -join ($hasher.ComputeHash($stream) | ForEach-Object { $_.ToString('x2') })
        } finally {
            $hasher.Dispose()
            $stream.Dispose()
        }
    }

    # What a program says that its version is, or why it does not start; bounded, because it may be anything.
    function Get-Answer([string]$File) {
        $answer = @{ Version = ''; Why = '' }
        $start = New-Object -TypeName System.Diagnostics.ProcessStartInfo
        $start.FileName = $File
        $start.Arguments = '--version'
        $start.WorkingDirectory = [IO.Path]::GetDirectoryName($File)
        $start.UseShellExecute = $false
        $start.CreateNoWindow = $true
        $start.RedirectStandardInput = $true
        $start.RedirectStandardOutput = $true
        $process = $null
        # By its own environment: that of ProcessStartInfo fails in 5.1 where a name is there in two spellings.
        $env:LOCAL_CODER_UPGRADE = 'proving'
        try {
            $process = [System.Diagnostics.Process]::Start($start)
            $process.StandardInput.Close()
            $text = $process.StandardOutput.ReadToEndAsync()
            if (-not $process.WaitForExit(60000)) {
                $process.Kill()
                $answer.Why = 'it does not answer within 60 seconds'
            } elseif ($process.ExitCode -ne 0) {
                $answer.Why = "exit code $($process.ExitCode)"
            } else {
                $answer.Version = $text.Result.Trim()
            }
        } catch {
            $answer.Why = $_.Exception.Message
        } finally {
            $env:LOCAL_CODER_UPGRADE = $null
            if ($null -ne $process) { $process.Dispose() }
        }
        return $answer
    }

    # A scanner may hold a new file for a moment.
    function Move-Patiently([string]$From, [string]$To) {
        for ($try = 1; ; $try++) {
            try {
                [IO.File]::Move($From, $To)
                return
            } catch {
                if ($try -ge 20) { throw }
                Start-Sleep -Milliseconds 250
            }
        }
    }

    # A program that runs cannot be removed. It is tried again by the next installation and the next start.
    function Remove-OldProgram([string]$Folder) {
        if (-not [IO.Directory]::Exists($Folder)) { return }
        foreach ($file in [IO.Directory]::GetFiles($Folder)) {
            if ([IO.Path]::GetFileName($file) -cmatch $oldPattern) {
                try { [IO.File]::Delete($file) } catch { Write-Verbose "$file still runs." }
            }
        }
    }

    # A program that runs can be renamed, not replaced: the old one goes aside until the new one has started.
    function Switch-Program([string]$Draft, [string]$Program, [string]$Expected) {
        $old = ''
        if ([IO.File]::Exists($Program)) {
            $old = "$Program.$([Guid]::NewGuid().ToString('N').Substring(0, 8)).old"
            Move-Patiently $Program $old
        }
        $why = 'it was interrupted'
        try {
            Move-Patiently $Draft $Program
            $answer = Get-Answer $Program
            $why = ''
            if ($answer.Version -cne $Expected) { $why = "it does not start in its place: $($answer.Why)" }
        } catch {
            $why = $_.Exception.Message
        } finally {
            # Here, because Ctrl-C reaches a finally and nothing behind it.
            if ($why) {
                if ([IO.File]::Exists($Program)) { Move-Patiently $Program "$Draft.failed" }
                if ($old) { Move-Patiently $old $Program }
            }
        }
        if ($why) {
            Stop-Installer "$Program could not be replaced ($why). What was there before is there again."
        }
        Remove-OldProgram ([IO.Path]::GetDirectoryName($Program))
    }

    function Expand-Program([string]$Archive, [string]$Draft) {
        Add-Type -AssemblyName System.IO.Compression
        Add-Type -AssemblyName System.IO.Compression.FileSystem
        $zip = [IO.Compression.ZipFile]::OpenRead($Archive)
        try {
            $entry = $zip.GetEntry('local-coder.exe')
            if ($null -eq $entry) { Stop-Installer 'The archive holds no local-coder.exe.' }
            [IO.Compression.ZipFileExtensions]::ExtractToFile($entry, $Draft)
        } finally {
            $zip.Dispose()
        }
    }

    # Version, name and digest of the archive for this machine.
    function Read-Sums([string]$File, [string]$Target, [string]$From) {
        $found = @()
        foreach ($line in [IO.File]::ReadAllLines($File)) {
            if ($line -cmatch "^([0-9a-f]{64}) [ *](local-coder-(.+)-$Target\.zip)$") {
                $found += @{ Sum = $Matches[1]; Name = $Matches[2]; Version = $Matches[3] }
            }
        }
        if ($found.Count -eq 0) { Stop-Installer "The release at $From has no build for $Target." }
        if ($found.Count -gt 1 -or $found[0].Version -cnotmatch $versionPattern) {
            Stop-Installer "The list of releases at $From is broken."
        }
        return $found[0]
    }

    # What stands between single quotes, of which PowerShell knows five spellings.
    function Get-Quoted([string]$Text) {
        return $Text -replace "['\u2018-\u201b]", '$0$0'
    }

    # Whether one version comes before another; of two pre-releases of one version neither does.
    function Test-Earlier([string]$Left, [string]$Right) {
        try {
            $a = [version]($Left -replace '-.*$', '')
            $b = [version]($Right -replace '-.*$', '')
        } catch {
            return $false
        }
        if ($a -ne $b) { return $a -lt $b }
        return $Left.Contains('-') -and -not $Right.Contains('-')
    }

    function Show-PathAdvice([string]$Folder) {
        $entries = @($env:Path -split ';' | ForEach-Object { $_.Trim().TrimEnd('\') })
        if ($entries -contains $Folder) { return }
        $quoted = Get-Quoted $Folder
        Write-Host "$Folder is not on your PATH. These two lines put it there, for windows that you open afterwards:"
        # Not by GetEnvironmentVariable, which would freeze the %NAMES% in the value; the second line tells Windows.
        Write-Host ("    `$k = [Microsoft.Win32.Registry]::CurrentUser.OpenSubKey('Environment', `$true); " +
            "`$k.SetValue('Path', (`$k.GetValue('Path', '', 'DoNotExpandEnvironmentNames').TrimEnd(';') + " +
            "';$quoted').TrimStart(';'), 'ExpandString'); `$k.Close()")
        Write-Host "    [Environment]::SetEnvironmentVariable('LOCAL_CODER_PATH_CHANGED', `$null, 'User')"
    }

    function Remove-Program([string]$Folder, [string]$Program) {
        Remove-OldProgram $Folder
        if (-not [IO.File]::Exists($Program)) {
            Write-Host "There is no local-coder in $Folder (another folder: -Dir)."
            return
        }
        $answer = Get-Answer $Program
        if ($answer.Version -cnotmatch $versionPattern) {
            Stop-Installer "$Program does not look like what this script installs, so it stays."
        }
        try {
            [IO.File]::Delete($Program)
        } catch {
            Stop-Installer "$Program cannot be removed ($($_.Exception.Message)). If it runs, end it: local-coder stop"
        }
        Write-Host "Removed $Program (version $($answer.Version))."
        if (@([IO.Directory]::GetFileSystemEntries($Folder)).Count -eq 0) { [IO.Directory]::Delete($Folder) }
        if ($env:LOCALAPPDATA) {
            $state = Join-Path $env:LOCALAPPDATA 'local-coder'
            if ([IO.Directory]::Exists($state)) {
                Write-Host ('Its state (history of changes, audit log, credentials) stays. To remove that too: ' +
                    "Remove-Item -Recurse -LiteralPath '$(Get-Quoted $state)'")
            }
        }
        Write-Host 'Entries that you made in MCP clients, tasks, and the entry in your PATH stay as they are.'
    }

    function Install-Program([string]$Folder, [string]$Program) {
        $base = Get-BaseUrl
        $target = Get-Target
        if ([IO.Directory]::Exists($Program)) {
            Stop-Installer "$Program is a folder. Move it away, or choose another folder with -Dir."
        }
        # The folders that are made here go away again when nothing is installed.
        $made = @()
        $missing = $Folder
        while ($missing -and -not [IO.Directory]::Exists($missing)) {
            $made += $missing
            $missing = [IO.Path]::GetDirectoryName($missing)
        }
        $work = [IO.Path]::Combine($Folder, '.local-coder-install-' + [Guid]::NewGuid().ToString('N'))
        $finished = $false
        try {
            try {
                [void][IO.Directory]::CreateDirectory($work)
            } catch {
                Stop-Installer "$Folder cannot be written to ($($_.Exception.Message)). Choose another folder with -Dir."
            }
            $from = "$base/latest/download"
            if ($Version) { $from = "$base/download/v$Version" }
            $sums = [IO.Path]::Combine($work, 'SHA256SUMS')
            $status = Save-Url "$from/SHA256SUMS" $sums
            if ($status -eq 404 -and $Version) { Stop-Installer "There is no version $Version at $base." }
            if ($status -ne 0) { Stop-Installer "The list of releases could not be downloaded from $from (status $status)." }
            $release = Read-Sums $sums $target $from
            if ($Version -and $release.Version -cne $Version) {
                Stop-Installer "What $from holds is version $($release.Version), not $Version."
            }
            $installed = ''
            if ([IO.File]::Exists($Program)) {
                $answer = Get-Answer $Program
                $installed = $answer.Version
                # One that does not start any more may be ours; one that answers something else is not.
                if ($installed -cnotmatch $versionPattern) {
                    if (-not $answer.Why) {
                        Stop-Installer ("$Program is not what this script installs, so it stays. Move it away, or " +
                            'choose another folder with -Dir.')
                    }
                    $installed = ''
                }
            }
            if ($installed -and -not $Version -and (Test-Earlier $release.Version $installed)) {
                Write-Host ("local-coder $installed is installed already; the newest release at $base is " +
                    "$($release.Version): $Program")
                Write-Host "To go back to that one: -Version $($release.Version)"
            } elseif ($installed -ceq $release.Version) {
                Write-Host "local-coder $installed is installed already: $Program"
            } else {
                Write-Host "Downloading local-coder $($release.Version) for $target"
                $archive = [IO.Path]::Combine($work, 'archive.zip')
                $status = Save-Url "$from/$($release.Name)" $archive
                if ($status -ne 0) { Stop-Installer "$($release.Name) could not be downloaded from $from (status $status)." }
                $actual = Get-Sha256 $archive
                if ($actual -cne $release.Sum) {
                    Stop-Installer ("$($release.Name) is not what the release lists: its SHA-256 is $actual, not " +
                        "$($release.Sum). Nothing was installed. Try again; a proxy may change downloads.")
                }
                $draft = [IO.Path]::Combine($work, 'local-coder.exe')
                Expand-Program $archive $draft
                $answer = Get-Answer $draft
                if ($answer.Version -cne $release.Version) {
                    Stop-Installer ("The downloaded local-coder $($release.Version) does not start here " +
                        "($($answer.Why)), so nothing was changed.")
                }
                Switch-Program $draft $Program $release.Version
                if ($installed) {
                    Write-Host "local-coder $($release.Version) is in the place of ${installed}: $Program"
                    Write-Host 'What runs goes on with the old version until it is started again.'
                } else {
                    Write-Host "local-coder $($release.Version) is installed: $Program"
                }
            }
            $finished = $true
            Show-PathAdvice $Folder
        } finally {
            if ([IO.Directory]::Exists($work)) {
                Remove-Item -LiteralPath $work -Recurse -Force -ErrorAction SilentlyContinue
            }
            if (-not $finished) {
                foreach ($path in $made) {
                    try { [IO.Directory]::Delete($path) } catch { Write-Verbose "$path is not empty." }
                }
            }
        }
    }

    if ($Help) {
        Show-Help
        return
    }
    if ([Environment]::OSVersion.Platform -ne [PlatformID]::Win32NT) {
        Stop-Installer 'This script is for Windows. On Linux and macOS run install.sh.'
    }
    if (-not $Version) { $Version = [string]$env:LOCAL_CODER_INSTALL_VERSION }
    if ($Version -match '^v\d') { $Version = $Version.Substring(1) }
    if ($Version -and $Version -cnotmatch $versionPattern) {
        Stop-Installer "`"$Version`" is no version such as 1.2.3."
    }
    $folder = Get-Folder $Dir
    $program = [IO.Path]::Combine($folder, 'local-coder.exe')
    if ($Uninstall) {
        Remove-Program $folder $program
        return
    }
    # .NET of Windows PowerShell may begin with protocols that no server speaks any more.
    $isOld = $PSVersionTable.PSVersion.Major -lt 6
    $protocols = [Net.ServicePointManager]::SecurityProtocol
    try {
        if ($isOld) {
            [Net.ServicePointManager]::SecurityProtocol = $protocols -bor [Net.SecurityProtocolType]::Tls12
        }
        Install-Program $folder $program
    } finally {
        if ($isOld) { [Net.ServicePointManager]::SecurityProtocol = $protocols }
    }
}

# In braces, so that nothing runs of a line that was cut off.
if ($true) {
    try {
        & $localCoderInstaller $Version $Dir $Uninstall.IsPresent $Help.IsPresent
    } finally {
        Remove-Variable -Name localCoderInstaller
    }
}
