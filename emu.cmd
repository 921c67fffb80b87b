@echo off
rem Starts emu; builds it first when there is no build yet or a source file is newer than the last one.
rem artifacts\sources holds copies of the sources of the last build, so that xcopy /D can tell what is newer.
setlocal
set "ROOT=%~dp0"
set "ART=%ROOT%artifacts"
set "APP=%ART%\win\emu.exe"
set "DOTNET_NOLOGO=1"
set "DOTNET_CLI_TELEMETRY_OPTOUT=1"

if not exist "%APP%" goto build
if not exist "%ART%\exclude.txt" goto build
for /f "delims=" %%L in ('xcopy "%ROOT%src" "%ART%\sources" /L /D /S /Y /Q /EXCLUDE:%ART%\exclude.txt 2^>nul') do (
    for /f "tokens=1" %%N in ("%%L") do if not "%%N"=="0" goto build
)
goto run

:build
where dotnet >nul 2>nul
if errorlevel 1 (
    echo emu: no 'dotnet' in PATH: install the .NET SDK 10 or later to build emu 1>&2
    exit /b 1
)
if not exist "%ART%" mkdir "%ART%"
(echo \bin\& echo \obj\) > "%ART%\exclude.txt"
echo emu: building emu ... 1>&2
dotnet publish "%ROOT%src\Cli" -c Release --use-current-runtime --no-self-contained -nologo -v quiet --artifacts-path "%ART%" -o "%ART%\win" -p:PublishReadyToRun=true > "%ART%\build.log" 2>&1
if not errorlevel 1 goto built
dotnet publish "%ROOT%src\Cli" -c Release --use-current-runtime --no-self-contained -nologo -v quiet --artifacts-path "%ART%" -o "%ART%\win" -p:PublishReadyToRun=false > "%ART%\build.log" 2>&1
if not errorlevel 1 goto built
type "%ART%\build.log" 1>&2
echo emu: the build failed; its output is above 1>&2
exit /b 1

:built
if exist "%ART%\sources" rmdir /s /q "%ART%\sources"
xcopy "%ROOT%src" "%ART%\sources" /I /S /Y /Q /EXCLUDE:%ART%\exclude.txt >nul

:run
"%APP%" %*
exit /b %ERRORLEVEL%
